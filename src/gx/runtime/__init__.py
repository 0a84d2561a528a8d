"""The composition root: settings, wiring, processes and the supervisor of the local stack."""
