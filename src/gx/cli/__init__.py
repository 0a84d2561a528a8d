"""`gx …`: what people type."""
