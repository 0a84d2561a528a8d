"""The contracts as somebody else's chaincode in Go would serve them: each function, no batches.

Run as `python -m tests.fabric.plain_chaincode ADDRESS PACKAGE_ID`, until SIGTERM.
"""

import asyncio
import signal
import sys
from typing import Final

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from fabric_protos.peer.proposal_response_pb2 import Response

from gx.chaincode.server.execution import STATUS_FAILED, Execution
from gx.chaincode.server.identities import CallerReader
from gx.chaincode.server.proposals import read_invocation
from gx.chaincode.server.serving import ChaincodeServer, ServerOptions, serve
from gx.chaincode.server.stream import StreamLimits
from gx.chaincode.server.stub import PeerLink
from gx.contracts.chaincode import build_executor
from gx.domain.batches import BATCH_FUNCTION


class WithoutBatches:
    """Implements `gx.chaincode.server.repeating.Answering`."""

    def __init__(self) -> None:
        self._execution: Final = Execution(build_executor().execute, CallerReader(admin_ou_msps=()))

    def answer(self, message: ChaincodeMessage, link: PeerLink) -> ChaincodeMessage:
        """Execute a function; of a contract that nobody wrote, say what Go's contract API says."""
        if read_invocation(message).function != BATCH_FUNCTION:
            return self._execution.answer(message, link)
        unknown = Response(status=STATUS_FAILED, message="Contract not found with name Batch")
        return ChaincodeMessage(
            type=ChaincodeMessage.COMPLETED,
            payload=unknown.SerializeToString(),
            txid=message.txid,
            channel_id=message.channel_id,
        )


async def main(address: str, package_id: str) -> None:
    """Serve until told to stop."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    limits = StreamLimits(
        transactions_max=64,
        transaction_timeout_s=30.0,
        registration_timeout_s=30.0,
        message_bytes_max=64 * 1024 * 1024,
    )
    options = ServerOptions(
        package_id=package_id, address=address, tls=None, limits=limits, drain_s=5.0
    )
    server = ChaincodeServer(options, WithoutBatches(), observe_streams=lambda _: None)
    await serve(server, stop=stop, on_ready=lambda: None)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
