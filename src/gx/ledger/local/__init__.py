"""The embedded ledger: a process that runs the contracts on one SQLite file, and its client.

    server   the process: sole writer of the file, listens on a Unix socket
    client   `LocalLedger`, the `gx.ledger.ports.Ledger` that submitter, projector and CLI use
    verify   recomputes every hash and the world state from block 0, read-only

What a block's hash covers, and how, is told in `blocks`; what a transaction signs, in `content`;
how the world state is kept and when it reaches the disk, in `world`.
"""
