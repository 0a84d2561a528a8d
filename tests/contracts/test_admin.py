"""AdminContract after bootstrap: parameters, pauses, administrators, countries."""

import json

import pytest

from gx.domain.arguments import CountryShares
from gx.domain.catalogue import (
    ACTIVATE_TREASURY,
    APPOINT_ADMIN,
    COMMANDS,
    INITIALIZE_COUNTRY_DATA,
    MINT_COINS,
    PAUSE_SYSTEM,
    RESUME_SYSTEM,
    TRANSFER_TOKENS,
    UPDATE_SYSTEM_PARAMETER,
)
from gx.domain.countries import ISO_CODES
from gx.domain.economics import PARAMETERS, ParameterSpec
from gx.domain.events import (
    AccountStatus,
    AdminAppointed,
    CountryDataInitialized,
    SystemParameterUpdated,
    SystemPaused,
    SystemResumed,
    TreasuryAccountActivated,
)
from gx.domain.refusals import RefusalCode
from gx.domain.roles import LedgerRole
from tests.contracts.contract_ledger import a_bootstrapped_ledger, a_ledger, coins, give

REASON = "a planned upgrade"


def shares(**percentages: str) -> str:
    """Write a list of country shares."""
    return json.dumps(
        [{"countryCode": code, "percentage": text} for code, text in percentages.items()]
    )


def test_countries_open_with_locked_treasuries() -> None:
    """Each country gets its share, no users, and a treasury at 0 that may not send."""
    ledger = a_bootstrapped_ledger()

    (event,) = ledger.do(INITIALIZE_COUNTRY_DATA, shares(US="4.2", CA="0.5"))

    assert isinstance(event, CountryDataInitialized)
    assert [country.to_wire() for country in event.countries] == [
        {"countryCode": "US", "percentage": "4.2", "treasuryId": "treasury_US"},
        {"countryCode": "CA", "percentage": "0.5", "treasuryId": "treasury_CA"},
    ]
    assert [(change.account_id, change.delta) for change in event.changes] == [
        ("treasury_US", 0),
        ("treasury_CA", 0),
    ]
    treasury = ledger.account("treasury_US")
    assert (treasury.balance, treasury.status) == (0, AccountStatus.LOCKED)
    assert treasury.country == "US"


def test_all_iso_countries_fit_into_one_command() -> None:
    """The whole world opens at once."""
    ledger = a_bootstrapped_ledger()

    ledger.do(INITIALIZE_COUNTRY_DATA, shares(**dict.fromkeys(sorted(ISO_CODES), "0.4")))

    assert ledger.query("AdminContract:GetGlobalCounters")["countries"] == len(ISO_CODES)


def test_countries_open_later_but_never_twice() -> None:
    """New countries may follow; with an open one among them, none of the list opens."""
    ledger = a_bootstrapped_ledger()
    ledger.do(INITIALIZE_COUNTRY_DATA, shares(US="50"))

    code = ledger.refusal(INITIALIZE_COUNTRY_DATA, shares(GB="1", US="1"))

    assert code is RefusalCode.COUNTRY_EXISTS
    assert ledger.query_refusal("AdminContract:GetCountryStats", "GB") is (
        RefusalCode.COUNTRY_UNKNOWN
    )
    ledger.do(INITIALIZE_COUNTRY_DATA, shares(GB="50"))


@pytest.mark.parametrize(
    ("argument", "code"),
    [
        (shares(), RefusalCode.ARGUMENT_INVALID),
        ("nonsense", RefusalCode.ARGUMENT_INVALID),
        ('{"countryCode":"US"}', RefusalCode.ARGUMENT_INVALID),
        (shares(US="100.000001"), RefusalCode.ARGUMENT_INVALID),
        (shares(US="60", GB="40.000001"), RefusalCode.ARGUMENT_INVALID),
        (shares(US="-1"), RefusalCode.ARGUMENT_INVALID),
        ('[{"countryCode":"US","percentage":1.5}]', RefusalCode.ARGUMENT_INVALID),
        (shares(XX="1"), RefusalCode.COUNTRY_UNKNOWN),
    ],
)
def test_a_wrong_list_of_countries_is_refused(argument: str, code: RefusalCode) -> None:
    """Codes are ISO's, percentages exact decimals that sum to at most 100."""
    assert a_bootstrapped_ledger().refusal(INITIALIZE_COUNTRY_DATA, argument) is code


def test_all_shares_together_never_exceed_the_whole() -> None:
    """Later countries share what the earlier ones left, to the last millionth of a per cent."""
    ledger = a_bootstrapped_ledger()
    ledger.do(INITIALIZE_COUNTRY_DATA, shares(US="99.999999"))

    assert ledger.refusal(INITIALIZE_COUNTRY_DATA, shares(GB="0.000002")) is (
        RefusalCode.ARGUMENT_INVALID
    )
    ledger.do(INITIALIZE_COUNTRY_DATA, shares(GB="0.000001"))


def test_the_contract_reads_the_list_that_the_edge_wrote() -> None:
    """What the edge turns into text is what the contract accepts."""
    text = CountryShares().to_text("countries", [{"countryCode": "US", "percentage": "1.50"}])

    a_bootstrapped_ledger().do(INITIALIZE_COUNTRY_DATA, text)


def test_a_parameter_changes_for_what_comes_after() -> None:
    """The event tells old and new; the next transfer pays the new fee."""
    ledger = a_ledger(alice="US", bob="US")
    give(ledger, "alice", coins(1000))

    (event,) = ledger.do(UPDATE_SYSTEM_PARAMETER, "feeLowerBps", "100")

    assert isinstance(event, SystemParameterUpdated)
    assert (event.id, event.old_value, event.new_value) == ("feeLowerBps", "5", "100")
    outcome = ledger.send(TRANSFER_TOKENS, "alice", "bob", coins(10), "lunch")
    assert outcome.result == {"fee": str(int(coins(10)) // 100)}


@pytest.mark.parametrize("spec", PARAMETERS.values(), ids=lambda spec: spec.id)
def test_a_parameter_keeps_within_its_bounds(spec: ParameterSpec) -> None:
    """Both bounds are allowed, one beyond either is not, nor is anything but a whole number."""
    ledger = a_bootstrapped_ledger()
    for value in (spec.minimum, spec.maximum):
        ledger.do(UPDATE_SYSTEM_PARAMETER, spec.id, str(value))
    for wrong in (str(spec.minimum - 1), str(spec.maximum + 1), "1.5", "007", " 1", "x", "", "٣"):
        assert ledger.refusal(UPDATE_SYSTEM_PARAMETER, spec.id, wrong) is (
            RefusalCode.PARAMETER_VALUE_INVALID
        )


def test_while_paused_only_resuming_is_taken() -> None:
    """Every other command is refused, whoever sends it, and works again afterwards."""
    ledger = a_ledger(alice="US")
    (paused,) = ledger.do(PAUSE_SYSTEM, REASON)
    assert isinstance(paused, SystemPaused)
    assert paused.reason == REASON

    for spec in COMMANDS.values():
        if spec is not RESUME_SYSTEM:
            role = min(spec.roles)
            assert ledger.refusal(spec, role=role) is RefusalCode.SYSTEM_PAUSED, spec.wire_name

    (resumed,) = ledger.do(RESUME_SYSTEM)
    assert isinstance(resumed, SystemResumed)
    give(ledger, "alice", coins(1))


def test_resuming_what_is_not_paused_changes_nothing() -> None:
    """The command is idempotent: no record changes but its own."""
    ledger = a_bootstrapped_ledger()
    before = ledger.ledger.values()

    ledger.do(RESUME_SYSTEM)

    after = ledger.ledger.values()
    assert {key for key in after if after[key] != before.get(key)} == {"cmd_command-1"}


@pytest.mark.parametrize(
    ("length", "is_taken"), [(9, False), (10, True), (500, True), (501, False)]
)
def test_a_pause_needs_a_reason(*, length: int, is_taken: bool) -> None:
    """Ten to five hundred characters, for everybody who is refused."""
    outcome = a_bootstrapped_ledger().send(PAUSE_SYSTEM, "x" * length)

    assert outcome.code is (None if is_taken else RefusalCode.ARGUMENT_INVALID)


def test_an_administrator_is_appointed_once_and_by_somebody_else() -> None:
    """Nobody appoints themselves; the appointment is on the ledger with its author."""
    ledger = a_bootstrapped_ledger()

    assert ledger.refusal(APPOINT_ADMIN, "ada", actor="ada") is RefusalCode.ACTOR_MISMATCH
    (event,) = ledger.do(APPOINT_ADMIN, "ada", actor="grace")
    assert isinstance(event, AdminAppointed)
    assert event.admin_id == "ada"
    assert '"appointedBy":"grace"' in ledger.ledger.values()["admin_ada"]
    assert ledger.refusal(APPOINT_ADMIN, "ada", actor="grace") is RefusalCode.ADMIN_EXISTS


def test_a_treasury_sends_only_once_it_is_activated() -> None:
    """Locked at first; an administrator activates it once, and it may send from then on."""
    ledger = a_ledger(alice="US")
    give(ledger, "treasury_US", coins(10))
    transfer = ("treasury_US", "alice", coins(1), "aid")
    role = LedgerRole.ADMIN
    assert ledger.refusal(TRANSFER_TOKENS, *transfer, actor="ops", role=role) is (
        RefusalCode.USER_NOT_ACTIVE
    )

    (event,) = ledger.do(ACTIVATE_TREASURY, "US", role=role)

    assert isinstance(event, TreasuryAccountActivated)
    assert (event.country_code, event.treasury_id) == ("US", "treasury_US")
    ledger.do(TRANSFER_TOKENS, *transfer, actor="ops", role=role)
    assert ledger.balance("alice") == int(coins(1))
    assert ledger.refusal(ACTIVATE_TREASURY, "US") is RefusalCode.TREASURY_NOT_LOCKED
    assert ledger.refusal(ACTIVATE_TREASURY, "FR") is RefusalCode.COUNTRY_UNKNOWN


def test_a_treasury_cannot_be_minted_into_being() -> None:
    """Only bootstrap and the opening of a country make accounts under the system's prefixes."""
    ledger = a_bootstrapped_ledger()

    for account in ("treasury_US", "SYSTEM_SLUSH_FUND"):
        assert ledger.refusal(MINT_COINS, account, "1", "oops") is RefusalCode.ACCOUNT_NOT_FOUND
