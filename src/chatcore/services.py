"""The parts of one chat, made for one environment and tied together."""

from chatcore.accounts import Accounts
from chatcore.admin import Admin
from chatcore.application import Application, TimedListPolicy, TimedSendPolicy
from chatcore.attempts import Attempts
from chatcore.clean_ups import CleanUps
from chatcore.closing_mailboxes import ClosingMailboxes
from chatcore.counters import Counters
from chatcore.deletion import Deletion
from chatcore.erasures import Erasures
from chatcore.expiries import Expiries
from chatcore.identification import Identification
from chatcore.ids import IdempotencyKey
from chatcore.key_clock import KeyClock
from chatcore.limits import Limits
from chatcore.listing import Listing
from chatcore.logins import Logins, SecondLogin
from chatcore.outbox import Webhooks
from chatcore.ports import (
    Environment,
    Identities,
    ListPolicy,
    MessageHandlers,
    SendPolicy,
)
from chatcore.rate_limiter import RateLimiter
from chatcore.receiving import Receiving
from chatcore.registration import Registration
from chatcore.sending import Sending
from chatcore.sessions import Sessions
from chatcore.store import Store
from chatcore.telling import NoHandlers, Telling


class NotStarted(RuntimeError):
    """A chat that nobody has started was asked for something: a fault of the caller."""

    def __init__(self) -> None:
        super().__init__("Await Chat.start first; transports.serve does.")


class Services:
    """What a chat that was started consists of.

    ``horizon`` is where the store says that keys are forgotten (B7).
    """

    def __init__(  # noqa: PLR0913  # all that a chat is told, named
        self,
        store: Store,
        sessions: Sessions,
        environment: Environment,
        limits: Limits,
        *,
        horizon: IdempotencyKey,
        second_login: SecondLogin,
        policy: SendPolicy | None,
        identities: Identities | None,
        erasures: Erasures,
        registration: Registration,
        counters: Counters,
        list_policy: ListPolicy | None,
        handlers: MessageHandlers | None,
        webhooks: Webhooks | None,
    ) -> None:
        self.telling = telling = (
            None
            if handlers is None and webhooks is None
            else Telling(handlers or NoHandlers(), sessions, webhooks)
        )
        clock = environment.clock
        self.environment = environment
        self.store = store
        self.counters = counters
        self.rates = rates = RateLimiter(limits, clock)
        self.key_clock = key_clock = KeyClock(
            clock, lifetime_ms=limits.key_lifetime_ms, horizon=horizon
        )
        application = Application(clock, limits)
        attempts = Attempts(store, clock, limits, rates)
        identification = None
        if identities is not None:
            identification = Identification(
                identities, application, attempts, clock, environment.names, limits
            )
        self.accounts = accounts = Accounts(
            store,
            environment,
            limits,
            identification,
            attempts,
            rates,
            key_clock,
            registration,
        )
        self.expiries = Expiries(clock, limits)
        self.logins = logins = Logins(
            store,
            sessions,
            accounts,
            environment,
            limits,
            second_login,
            self.expiries,
        )
        self.closing = ClosingMailboxes()
        self.sending = Sending(
            store,
            sessions,
            environment,
            limits,
            TimedSendPolicy(policy, application) if policy is not None else None,
            rates,
            key_clock,
            self.closing,
            telling=telling,
        )
        self.receiving = Receiving(store, sessions, limits, clock, telling)
        if list_policy is not None:
            list_policy = TimedListPolicy(list_policy, application)
        self.listing = Listing(store, sessions, limits, clock, list_policy)
        self.clean_ups = CleanUps(store, sessions, erasures, clock, limits)
        self.deletion = Deletion(
            store,
            sessions,
            accounts,
            logins,
            environment,
            limits,
            key_clock,
            erasures=erasures,
            clean_ups=self.clean_ups,
            closing=self.closing,
        )
        self._sessions = sessions
        self._limits = limits
        self.admin = Admin(
            store,
            sessions,
            accounts,
            logins,
            self.deletion,
            environment,
            limits,
            self._follow_limits,
        )

    def _follow_limits(self) -> None:
        """Have the parts that keep something of the limits take it over anew."""
        self._sessions.grace_s = self._limits.grace_s
        self.rates.follow_limits()
        self.accounts.follow_limits()
        self.sending.follow_limits()
