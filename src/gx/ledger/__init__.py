"""The ledger as a client sees it: ports, errors by phase, retry classes, circuit breaker."""
