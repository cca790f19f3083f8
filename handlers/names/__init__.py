"""Names: from what people type to what the cluster holds."""
