"""How a call of the API fails, by what the caller can do about it.

error                     did it take effect?      what to do
ApiUnreachableError       perhaps                  repeat with the same idempotency key
ProblemError              no                       read `code`; retrying helps only on 429, 503
UnexpectedAnswerError     perhaps                  somebody else answered: check the address
WaitTimeoutError          not yet                  wait longer; the command is accepted
CommandFailedError        no, and finally          read `code`; a new command is needed
"""

from gx.domain.command_status import CommandStatus
from gx.domain.errors import GxError
from gx.domain.identifiers import CommandId


class ClientError(GxError):
    """A call of the API failed."""


class AddressError(ClientError):
    """The API's address cannot be one."""

    def __init__(self, base_url: str) -> None:
        super().__init__(
            f"{base_url!r} is no address of the API: give http://host:port or https://host"
        )


class ApiUnreachableError(ClientError):
    """No complete answer came back, after every attempt that the policy allows."""

    def __init__(self, url: str, reason: str, *, attempts: int) -> None:
        times = "once" if attempts == 1 else f"{attempts} times"
        super().__init__(f"{url} did not answer ({reason}), tried {times}")
        self.url = url
        self.reason = reason
        self.attempts = attempts


class ProblemError(ClientError):
    """The API refused the request with a problem document (RFC 9457)."""

    def __init__(self, *, status: int, code: str, detail: str, request: str) -> None:
        super().__init__(f"{code}: {detail} ({request} answered {status})")
        self.status = status
        self.code = code
        self.detail = detail


class UnexpectedAnswerError(ClientError):
    """What answered does not speak this API: a proxy, another program, or another version."""

    def __init__(self, request: str, reason: str) -> None:
        super().__init__(f"{request} was answered with something else than this API: {reason}")


class WaitTimeoutError(ClientError):
    """The command did not reach the awaited status in time; it goes on by itself."""

    def __init__(self, command_id: CommandId, status: CommandStatus, *, timeout_s: float) -> None:
        super().__init__(f"command {command_id} is still {status} after {timeout_s:g} s")
        self.command_id = command_id
        self.status = status


class CommandFailedError(ClientError):
    """The command is final and had no effect."""

    def __init__(
        self, command_id: CommandId, status: CommandStatus, *, code: str, detail: str
    ) -> None:
        super().__init__(f"{code or status}: {detail} (command {command_id} is {status})")
        self.command_id = command_id
        self.status = status
        self.code = code
        self.detail = detail
