"""The dashboards of a Fabric network.

Only where its nodes are scraped have they data. Peers keep their world state in LevelDB, inside
the peer's own process: there is no database server beside them to watch (docs/adr).
"""
