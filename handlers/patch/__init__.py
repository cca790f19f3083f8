"""Changes of policy that are proven to open a flow, and all that they would open besides."""
