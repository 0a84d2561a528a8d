"""The read path: events folded into read models, effect and checkpoint in one transaction."""
