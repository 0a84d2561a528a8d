"""The same client for code without an event loop: each method blocks until it is done."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Concatenate, ParamSpec, TypeVar

from gx.client.client import GxClient
from gx.client.transport import ClientSettings, Transport

P = ParamSpec("P")
T = TypeVar("T")


def _blocking(
    method: Callable[Concatenate[GxClient, P], Coroutine[object, object, T]],
) -> "Callable[Concatenate[BlockingGxClient, P], T]":
    def call(self: "BlockingGxClient", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.run(method(self.client, *args, **kwargs))

    call.__name__, call.__doc__ = method.__name__, method.__doc__
    return call


class BlockingGxClient:
    """A `GxClient` with an event loop of its own. For one thread; not inside a running loop."""

    def __init__(self, client: GxClient, runner: asyncio.Runner) -> None:
        self.client = client
        self._runner = runner

    def run(self, work: Coroutine[object, object, T]) -> T:
        """Run any of the asynchronous client's calls to its end."""
        return self._runner.run(work)

    def acting_for(self, user_id: str) -> "BlockingGxClient":
        """Return a client on the same connections whose requests act for that user."""
        return BlockingGxClient(self.client.acting_for(user_id), self._runner)

    submit = _blocking(GxClient.submit)
    find_command = _blocking(GxClient.find_command)
    find_commands = _blocking(GxClient.find_commands)
    commands = _blocking(GxClient.commands)
    wait_for = _blocking(GxClient.wait_for)
    dead_letters = _blocking(GxClient.dead_letters)
    find_dead_letter = _blocking(GxClient.find_dead_letter)
    replay_dead_letter = _blocking(GxClient.replay_dead_letter)
    discard_dead_letter = _blocking(GxClient.discard_dead_letter)

    bootstrap_system = _blocking(GxClient.bootstrap_system)
    initialize_country_data = _blocking(GxClient.initialize_country_data)
    update_system_parameter = _blocking(GxClient.update_system_parameter)
    pause_system = _blocking(GxClient.pause_system)
    resume_system = _blocking(GxClient.resume_system)
    appoint_admin = _blocking(GxClient.appoint_admin)
    activate_treasury = _blocking(GxClient.activate_treasury)
    mint_coins = _blocking(GxClient.mint_coins)
    create_user = _blocking(GxClient.create_user)
    distribute_genesis = _blocking(GxClient.distribute_genesis)
    transfer_tokens = _blocking(GxClient.transfer_tokens)
    collect_fees = _blocking(GxClient.collect_fees)
    freeze_wallet = _blocking(GxClient.freeze_wallet)
    unfreeze_wallet = _blocking(GxClient.unfreeze_wallet)
    lock_user = _blocking(GxClient.lock_user)
    unlock_user = _blocking(GxClient.unlock_user)
    apply_velocity_tax = _blocking(GxClient.apply_velocity_tax)
    request_relationship = _blocking(GxClient.request_relationship)
    confirm_relationship = _blocking(GxClient.confirm_relationship)
    propose_organization = _blocking(GxClient.propose_organization)
    endorse_membership = _blocking(GxClient.endorse_membership)
    activate_organization = _blocking(GxClient.activate_organization)
    define_auth_rule = _blocking(GxClient.define_auth_rule)
    initiate_multisig_tx = _blocking(GxClient.initiate_multisig_tx)
    approve_multisig_tx = _blocking(GxClient.approve_multisig_tx)
    apply_for_loan = _blocking(GxClient.apply_for_loan)
    approve_loan = _blocking(GxClient.approve_loan)
    reject_loan = _blocking(GxClient.reject_loan)
    repay_loan = _blocking(GxClient.repay_loan)
    submit_proposal = _blocking(GxClient.submit_proposal)
    vote_on_proposal = _blocking(GxClient.vote_on_proposal)
    execute_proposal = _blocking(GxClient.execute_proposal)

    system_status = _blocking(GxClient.system_status)
    countries = _blocking(GxClient.countries)
    country_stats = _blocking(GxClient.country_stats)
    system_parameter = _blocking(GxClient.system_parameter)
    global_counters = _blocking(GxClient.global_counters)
    user = _blocking(GxClient.user)
    trust = _blocking(GxClient.trust)
    relationships = _blocking(GxClient.relationships)
    organization = _blocking(GxClient.organization)
    pending_transactions = _blocking(GxClient.pending_transactions)
    multisig_transaction = _blocking(GxClient.multisig_transaction)
    balance = _blocking(GxClient.balance)
    account_entries = _blocking(GxClient.account_entries)
    treasury_balance = _blocking(GxClient.treasury_balance)
    loan = _blocking(GxClient.loan)
    user_loans = _blocking(GxClient.user_loans)
    proposal = _blocking(GxClient.proposal)
    proposals = _blocking(GxClient.proposals)
    supply = _blocking(GxClient.supply)
    pools = _blocking(GxClient.pools)
    transaction_fee = _blocking(GxClient.transaction_fee)
    velocity_tax = _blocking(GxClient.velocity_tax)


@contextmanager
def open_blocking_client(settings: ClientSettings) -> Iterator[BlockingGxClient]:
    """Yield a blocking client whose connections are released at the end."""
    with asyncio.Runner() as runner:
        client = GxClient(Transport(settings))
        try:
            yield BlockingGxClient(client, runner)
        finally:
            runner.run(client.close())
