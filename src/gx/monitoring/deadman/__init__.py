"""The dead-man's receiver: it hears from the alert that always fires, and speaks when it stops."""
