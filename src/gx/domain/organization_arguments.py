"""The kinds of argument that organisations take, and what of them must fit together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from gx.domain.amounts import AMOUNT_PATTERN, SUPPLY_CAP, Amount, parse_amount
from gx.domain.arguments import ArgumentKind
from gx.domain.codec import DecodeError, JsonObject, JsonValue, decode, encode
from gx.domain.identifiers import IDENTIFIER_PATTERN, UserId, is_identifier
from gx.domain.organizations import (
    MULTISIG_TX_ID_PATTERN,
    RULES_MAX,
    STAKEHOLDERS_MAX,
    STAKEHOLDERS_MIN,
    AuthRule,
    is_multisig_tx_id,
)
from gx.domain.refusals import RefusalCode, RefusedError

_RULE_FIELDS: Final = ("amountThreshold", "requiredApprovers", "approverGroup")


def _people_schema(minimum: int) -> JsonObject:
    return {
        "type": "array",
        "minItems": minimum,
        "maxItems": STAKEHOLDERS_MAX,
        "uniqueItems": True,
        "items": {"type": "string", "pattern": IDENTIFIER_PATTERN},
    }


def _parse_people(name: str, value: JsonValue, minimum: int, invalid: RefusalCode) -> list[UserId]:
    if not isinstance(value, list) or not minimum <= len(value) <= STAKEHOLDERS_MAX:
        raise RefusedError(invalid, f"{name} must name {minimum} to {STAKEHOLDERS_MAX} users")
    people = [UserId(item) for item in value if isinstance(item, str) and is_identifier(item)]
    if len(people) != len(value) or len(set(people)) != len(people):
        raise RefusedError(invalid, f"{name} must be ids of users, each of them once")
    return people


def _decode(name: str, text: str, invalid: RefusalCode) -> JsonValue:
    try:
        return decode(text)
    except DecodeError as error:
        raise RefusedError(invalid, f"{name}: {error}") from error


def _amount_of(value: JsonValue) -> Amount | None:
    try:
        return parse_amount(value) if isinstance(value, str) else None
    except RefusedError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stakeholders(ArgumentKind):
    """2 to 20 different users."""

    @override
    def schema(self) -> JsonObject:
        return _people_schema(STAKEHOLDERS_MIN)

    @override
    def require(self, name: str, text: str) -> None:
        self.parse(name, text)

    @override
    def to_text(self, name: str, value: JsonValue) -> str:
        self.parse(name, text := encode(value))
        return text

    def parse(self, name: str, text: str) -> tuple[UserId, ...]:
        """Read the list, in its order.

        Raises:
            RefusedError: ARGUMENT_INVALID.
        """
        value = _decode(name, text, self.invalid)
        return tuple(_parse_people(name, value, STAKEHOLDERS_MIN, self.invalid))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(ArgumentKind):
    """One authorisation rule: `{amountThreshold, requiredApprovers, approverGroup}`."""

    invalid: RefusalCode = RefusalCode.RULE_INVALID

    @override
    def schema(self) -> JsonObject:
        return {
            "type": "object",
            "additionalProperties": False,
            "required": list[JsonValue](_RULE_FIELDS),
            "properties": {
                "amountThreshold": {
                    "type": "string",
                    "pattern": AMOUNT_PATTERN,
                    "description": "From so many base units on, as a decimal string.",
                },
                "requiredApprovers": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": STAKEHOLDERS_MAX,
                },
                "approverGroup": _people_schema(1),
            },
        }

    @override
    def require(self, name: str, text: str) -> None:
        self.parse(name, text)

    @override
    def to_text(self, name: str, value: JsonValue) -> str:
        self.parse(name, text := encode(value))
        return text

    def parse(self, name: str, text: str) -> AuthRule:
        """Read the rule.

        Raises:
            RefusedError: RULE_INVALID, saying what of it is wrong.
        """
        return self.read(name, _decode(name, text, self.invalid))

    def read(self, name: str, value: JsonValue) -> AuthRule:
        """Read the rule from JSON.

        Raises:
            RefusedError: RULE_INVALID, saying what of it is wrong.
        """
        if not isinstance(value, dict) or set(value) != set(_RULE_FIELDS):
            raise RefusedError(self.invalid, f"{name} must be {{{', '.join(_RULE_FIELDS)}}}")
        group = _parse_people(f"{name}.approverGroup", value["approverGroup"], 1, self.invalid)
        return AuthRule(
            amount_threshold=self._threshold(name, value["amountThreshold"]),
            required_approvers=self._required(name, value["requiredApprovers"], len(group)),
            approver_group=tuple(sorted(group)),
        )

    def _threshold(self, name: str, value: JsonValue) -> Amount:
        amount = _amount_of(value)
        if amount is None or amount > SUPPLY_CAP:
            raise RefusedError(
                self.invalid,
                f"{name}.amountThreshold must be a decimal string of base units up to {SUPPLY_CAP}",
            )
        return amount

    def _required(self, name: str, value: JsonValue, size: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= size:
            raise RefusedError(
                self.invalid,
                f"{name}.requiredApprovers must be 1 to {size}, as many as the group has",
            )
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules(ArgumentKind):
    """Up to 20 different authorisation rules, or none."""

    invalid: RefusalCode = RefusalCode.RULE_INVALID

    @override
    def schema(self) -> JsonObject:
        return {"type": "array", "maxItems": RULES_MAX, "items": Rule().schema()}

    @override
    def require(self, name: str, text: str) -> None:
        self.parse(name, text)

    @override
    def to_text(self, name: str, value: JsonValue) -> str:
        self.parse(name, text := encode(value))
        return text

    def parse(self, name: str, text: str) -> tuple[AuthRule, ...]:
        """Read the rules, in their order.

        Raises:
            RefusedError: RULE_INVALID, naming the rule.
        """
        value = _decode(name, text, self.invalid)
        if not isinstance(value, list) or len(value) > RULES_MAX:
            raise RefusedError(self.invalid, f"{name} must be a list of at most {RULES_MAX} rules")
        rules = tuple(Rule().read(f"{name}[{i}]", item) for i, item in enumerate(value))
        if len(set(rules)) != len(rules):
            raise RefusedError(self.invalid, f"{name} says the same rule twice")
        return rules


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiSigTxReference(ArgumentKind):
    """The id of an organisation's payment: `<organisation>~<recipient>~<command id>`."""

    @override
    def schema(self) -> JsonObject:
        return {"type": "string", "pattern": MULTISIG_TX_ID_PATTERN}

    @override
    def require(self, name: str, text: str) -> None:
        if not is_multisig_tx_id(text):
            raise RefusedError(
                self.invalid,
                f"{name} must be <organisation>~<recipient>~<command id>, got {text[:80]!r}",
            )


def require_rule_of_members(name: str, rule: AuthRule, members: Iterable[UserId]) -> None:
    """Refuse a rule that asks somebody who is no stakeholder.

    Raises:
        RefusedError: RULE_INVALID.
    """
    strangers = sorted(set(rule.approver_group).difference(members))
    if strangers:
        raise RefusedError(
            RefusalCode.RULE_INVALID,
            f"{name}.approverGroup names {', '.join(strangers)}, who hold no stake",
        )


def require_rules_of_stakeholders(arguments: Mapping[str, str]) -> None:
    """Refuse a proposal with a rule that asks somebody who is no stakeholder.

    Raises:
        RefusedError: RULE_INVALID.
    """
    members = Stakeholders().parse("stakeholders", arguments["stakeholders"])
    for index, rule in enumerate(Rules().parse("rules", arguments["rules"])):
        require_rule_of_members(f"rules[{index}]", rule, members)


def require_other_account(arguments: Mapping[str, str]) -> None:
    """Refuse to let an organisation pay itself.

    Raises:
        RefusedError: SELF_TRANSFER.
    """
    if arguments["orgId"] == arguments["toId"]:
        raise RefusedError(
            RefusalCode.SELF_TRANSFER, f"{arguments['orgId']} cannot pay itself: name another toId"
        )
