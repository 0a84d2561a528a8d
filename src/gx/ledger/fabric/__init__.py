"""A Hyperledger Fabric channel as the project's ledger, through the peers' gateway service."""
