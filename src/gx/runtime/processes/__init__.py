"""The processes of the system: each module wires one and runs it until it is told to stop."""
