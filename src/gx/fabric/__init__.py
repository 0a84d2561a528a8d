"""A Hyperledger Fabric network as its administrators see it."""
