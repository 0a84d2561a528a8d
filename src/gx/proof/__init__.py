"""What proves on a running system that it does what is said of it."""
