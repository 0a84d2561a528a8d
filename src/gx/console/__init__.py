"""The web console: the catalogue's panels, alerts, targets, runbooks and commands, on one page."""
