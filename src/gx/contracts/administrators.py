"""Administrators: who was appointed, by whom and when."""

from dataclasses import dataclass

from gx.chaincode.context import Context
from gx.contracts import keys
from gx.domain.codec import Record
from gx.domain.identifiers import EpochSeconds, UserId
from gx.domain.refusals import RefusalCode, RefusedError


@dataclass(frozen=True, slots=True, kw_only=True)
class AdministratorRecord(Record):
    """One appointment."""

    appointed_by: str
    appointed_at: EpochSeconds


def appoint(context: Context, admin_id: UserId) -> None:
    """Record the appointment.

    Raises:
        RefusedError: ACTOR_MISMATCH for oneself, ADMIN_EXISTS for a second time.
    """
    if admin_id == context.actor:
        raise RefusedError(RefusalCode.ACTOR_MISMATCH, f"{admin_id} may not appoint themselves")
    key = keys.administrator(admin_id)
    if context.state.find(key, AdministratorRecord) is not None:
        raise RefusedError(RefusalCode.ADMIN_EXISTS, f"{admin_id} is an administrator already")
    appointment = AdministratorRecord(appointed_by=context.actor, appointed_at=context.timestamp_s)
    context.state.put(key, appointment)
