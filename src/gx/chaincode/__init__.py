"""The contract SDK: what a contract sees of the ledger, and how a call finds its function."""
