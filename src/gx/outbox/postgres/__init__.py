"""The outbox in PostgreSQL. Its schema and functions are migrations 0001 to 0003."""
