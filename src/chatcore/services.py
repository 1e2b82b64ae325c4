"""The parts of one chat, made for one environment and tied together."""

from dataclasses import dataclass

from chatcore.accounts import Accounts
from chatcore.deletion import Deletion
from chatcore.key_clock import KeyClock
from chatcore.limits import Limits
from chatcore.listing import Listing
from chatcore.logins import Logins, SecondLogin
from chatcore.ports import Credentials, Environment, SendPolicy
from chatcore.rate_limiter import RateLimiter
from chatcore.receiving import Receiving
from chatcore.sending import Sending
from chatcore.sessions import Sessions
from chatcore.store import Store


class NotStarted(RuntimeError):
    """A chat that nobody has started was asked for something: a fault of the caller."""

    def __init__(self) -> None:
        super().__init__("Await Chat.start first; transports.serve does.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What a chat that was started consists of."""

    environment: Environment
    rates: RateLimiter
    key_clock: KeyClock
    accounts: Accounts
    logins: Logins
    sending: Sending
    receiving: Receiving
    listing: Listing
    deletion: Deletion


async def make_services(
    store: Store,
    sessions: Sessions,
    environment: Environment,
    limits: Limits,
    *,
    second_login: SecondLogin,
    policy: SendPolicy | None,
    credentials: Credentials | None,
) -> Services:
    """All parts of a chat; the store tells where the horizon of its keys is (B7)."""
    clock = environment.clock
    rates = RateLimiter(limits, clock)
    key_clock = KeyClock(
        clock, lifetime_ms=limits.key_lifetime_ms, horizon=await store.horizon()
    )
    accounts = Accounts(store, environment, limits, credentials, rates, key_clock)
    logins = Logins(store, sessions, accounts, environment, limits, second_login)
    return Services(
        environment=environment,
        rates=rates,
        key_clock=key_clock,
        accounts=accounts,
        logins=logins,
        sending=Sending(store, sessions, environment, limits, policy, rates, key_clock),
        receiving=Receiving(store, sessions, limits, clock),
        listing=Listing(store, sessions, limits, clock),
        deletion=Deletion(
            store, sessions, accounts, logins, environment, limits, key_clock
        ),
    )
