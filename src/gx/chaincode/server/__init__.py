"""The contracts as a Hyperledger Fabric chaincode: a server to which peers connect."""
