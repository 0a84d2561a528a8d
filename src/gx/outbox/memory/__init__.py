"""The outbox in memory: the same promises as PostgreSQL's, for tests within one process."""
