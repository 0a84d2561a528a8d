"""Arguments that several commands and functions share."""

from typing import Final

from gx.domain.arguments import Argument, Country, Identifier, ParameterName, Source, Text
from gx.domain.refusals import RefusalCode

ACCOUNT_ID: Final = Identifier(empty=RefusalCode.ACCOUNT_ID_EMPTY)
USER_ID: Final = Identifier()
NEW_USER_ID: Final = Identifier(is_person=True)
REMARK: Final = Text(empty=RefusalCode.REMARK_EMPTY)
EXAMPLE_HASH: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

ACCOUNT: Final = Argument(
    name="accountId", kind=ACCOUNT_ID, description="The account.", example="alice"
)
USER: Final = Argument(name="userId", kind=USER_ID, description="The user.", example="alice")
COUNTRY: Final = Argument(
    name="countryCode", kind=Country(), description="The country.", example="US"
)
PARAMETER: Final = Argument(
    name="id", kind=ParameterName(), description="The parameter.", example="feeLowerBps"
)


def user_in_path(description: str) -> Argument:
    """Name a user by the path of the request."""
    return Argument(
        name="userId", kind=USER_ID, description=description, example="alice", source=Source.PATH
    )
