"""Alertmanager: who is told of which alert, how soon, in which words, and what mutes what."""
