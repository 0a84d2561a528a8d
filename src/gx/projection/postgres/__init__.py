"""The read side in PostgreSQL."""
