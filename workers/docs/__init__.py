"""The reference pages that are written from the declarations: commands, codes, and the schema of the JSON report."""
