"""The load generator: an open loop of commands, and a check that each took effect once."""
