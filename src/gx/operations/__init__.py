"""Acts on a running system: bootstrap, smoke, load, and what operators do."""
