"""Who reaches whom by manifests alone: flows, policies, and what would let a flow through."""
