"""The HTTP edge: authenticates, validates, translates. It decides nothing."""
