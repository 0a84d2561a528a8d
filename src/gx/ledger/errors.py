"""How a ledger call fails, by phase: what failed says whether a retry is safe.

    error                    may it be on the ledger?   a retry needs
    EvaluateError            no                         nothing
    EndorseError             no                         nothing
    SubmitError              perhaps                    the verdict first, or the same bytes
    VerdictError             perhaps                    to ask again
    CommitError              no; it was invalidated     a new endorsement (a new transaction id)
    StreamError              –                          to open the stream again

Source: Fabric Gateway's EndorseError, SubmitError, CommitStatusError and CommitError.
"""  # noqa: RUF002 (a dash for "does not apply")

from gx.domain.errors import GxError
from gx.domain.identifiers import BlockNumber, TransactionId
from gx.domain.refusals import RefusalCode, RefusedError
from gx.ledger.ports import ValidationCode


class LedgerError(GxError):
    """A call to the ledger failed.

    `code` is the transport's or the ledger's own name of the failure, for logs and for
    classification; `is_transient` tells that the same call may succeed later.
    """

    def __init__(self, message: str, *, code: str = "", is_transient: bool = True) -> None:
        super().__init__(message)
        self.code = code
        self.is_transient = is_transient


class LedgerUnavailableError(LedgerError):
    """No endpoint answered: the call did not reach the ledger at all."""


class EvaluateError(LedgerError):
    """A read failed; `refusal` says why if the contract refused it."""

    def __init__(
        self,
        message: str,
        *,
        refusal: RefusedError | None = None,
        code: str = "",
        is_transient: bool = True,
    ) -> None:
        super().__init__(message, code=code, is_transient=is_transient and refusal is None)
        self.refusal = refusal


class EndorseError(EvaluateError):
    """Endorsement failed; nothing was ordered."""


class SubmitError(LedgerError):
    """The transaction may or may not have reached the orderer."""


class VerdictError(LedgerError):
    """Whether the transaction is on the ledger could not be found out."""


class CommitError(LedgerError):
    """The transaction was ordered and then marked invalid: its id is dead for good."""

    def __init__(self, transaction_id: TransactionId, code: ValidationCode) -> None:
        super().__init__(f"transaction {transaction_id} was invalidated: {code}", code=code)
        self.transaction_id = transaction_id
        self.validation_code = code


class StreamError(LedgerError):
    """The block stream broke; open it again from the block after the last one handled."""


class CorruptBlockError(StreamError):
    """A stored block's hash or link is wrong. It is not served; an operator must look.

    `gx ledger verify` names the first difference.
    """

    def __init__(self, number: BlockNumber, reason: str) -> None:
        super().__init__(
            f"block {number} is corrupt: {reason}; run `gx ledger verify`",
            code="CORRUPT_BLOCK",
            is_transient=False,
        )
        self.number = number
        self.reason = reason


class NewerBlockError(StreamError):
    """A newer release wrote the block; this one cannot read it. Nothing is wrong with it."""

    def __init__(self, number: BlockNumber, reason: str) -> None:
        super().__init__(
            f"block {number} cannot be read: {reason}; upgrade this process to the ledger's "
            "release, until then it reads no further and nothing is lost",
            code="NEWER_BLOCK",
        )
        self.number = number


__all__ = [
    "CommitError",
    "CorruptBlockError",
    "EndorseError",
    "EvaluateError",
    "LedgerError",
    "LedgerUnavailableError",
    "NewerBlockError",
    "RefusalCode",
    "StreamError",
    "SubmitError",
    "VerdictError",
]
