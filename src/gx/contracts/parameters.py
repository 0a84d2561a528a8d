"""How a system parameter gets another value: the one rule for administrators and for votes."""

from gx.chaincode.context import Context
from gx.contracts import system
from gx.domain.economics import parse_parameter
from gx.domain.events import SystemParameterUpdated


def change(context: Context, parameter_id: str, value: str) -> SystemParameterUpdated:
    """Write the value, if it is within the parameter's bounds.

    Raises:
        RefusedError: PARAMETER_UNKNOWN or PARAMETER_VALUE_INVALID.
    """
    number = parse_parameter(parameter_id, value)
    old_value = system.update_parameter(context, parameter_id, number)
    return SystemParameterUpdated(
        timestamp=context.timestamp_s,
        id=parameter_id,
        old_value=str(old_value),
        new_value=str(number),
    )
