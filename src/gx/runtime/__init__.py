"""The composition root: settings, wiring, processes, the local stack."""
