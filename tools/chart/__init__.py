"""What is written of the Helm chart: its rights, its schema, its README and what it renders to."""
