"""PostgreSQL: pool, units of work, migrations, and the embedded server."""
