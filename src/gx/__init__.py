"""GX Protocol: a ledger-backed CQRS backend whose operators can trust it."""

__version__ = "0.2.0"
