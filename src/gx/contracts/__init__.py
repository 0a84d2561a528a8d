"""The smart contracts: deterministic functions of the world state, the call and its time."""
