"""What a committed definition's endorsement policy says."""

from dataclasses import dataclass

from fabric_protos.common.policies_pb2 import SignaturePolicy, SignaturePolicyEnvelope
from fabric_protos.peer.policy_pb2 import ApplicationPolicy
from google.protobuf.message import DecodeError


@dataclass(frozen=True, slots=True)
class EndorsementPolicy:
    """A policy in words, and whether one organisation alone satisfies it."""

    text: str
    is_single: bool


def read_policy(content: bytes) -> EndorsementPolicy:
    """Read the policy bytes of a definition; unreadable ones are said to be so."""
    try:
        policy = ApplicationPolicy.FromString(content)
    except DecodeError:
        return EndorsementPolicy("of a kind that we cannot read", is_single=False)
    if policy.HasField("signature_policy"):
        needed, named = _needed(policy.signature_policy)
        text = f"{needed} of the {named} named principals must endorse"
        return EndorsementPolicy(text, is_single=needed < 2)  # noqa: PLR2004 (two is not alone)
    name = policy.channel_config_policy_reference or "/Channel/Application/Endorsement"
    return EndorsementPolicy(f"the channel's own, {name}", is_single=False)


def _needed(envelope: SignaturePolicyEnvelope) -> tuple[int, int]:
    return _least(envelope.rule), len(envelope.identities)


def _least(rule: SignaturePolicy) -> int:
    """Return how many signatures satisfy the rule at least."""
    if not rule.HasField("n_out_of"):
        return 1
    return sum(sorted(_least(each) for each in rule.n_out_of.rules)[: rule.n_out_of.n])
