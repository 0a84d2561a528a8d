"""The shared language: amounts, ids, roles, events, refusals and the catalogue of commands."""
