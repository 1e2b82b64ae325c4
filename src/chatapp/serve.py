"""``chatcore serve``: one chat over one store, on any number of URLs.

Each listener that accepts is told on stdout by a line ``ready URL``, after a line
``metrics URL`` where that was asked for; the log goes to stderr. SIGTERM or SIGINT
stops it in order (W9), a second one at once; SIGHUP has files opened again.
"""

import asyncio
import gc
import logging
import signal
import sys
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from argon2.exceptions import HashingError

from chatapp.admin.server import admin_socket
from chatapp.audit_file import audit_to
from chatapp.command_settings import ServeSettings
from chatapp.connecting import parse_metrics_address
from chatapp.errors import CannotServe, CannotStore, SettingWrong
from chatapp.event_loops import run_on
from chatapp.exposure import is_on_loopback
from chatapp.extensions import load_handlers, load_list_policy, load_policy
from chatapp.hangups import Hangups
from chatapp.identities import open_identities
from chatapp.logs import log_to_stderr
from chatapp.page import ChatPage
from chatapp.plugins import check_installed
from chatapp.webhooks import make_webhooks
from chatcore import Chat, Registration
from chatcore.errors import Outage
from chatcore.outbox import WebhooksNotKept
from chatcore.ports import Environment, MessageHandlers
from chatcore.store import Store
from chatstores import open_store
from chatstores.erasure_log import FileErasureLog
from chatstores.errors import without_password
from chatsystem import (
    INSECURE_FAST_HASH,
    HashSettings,
    allow_many_sockets,
    system_environment,
)
from transports import serve
from transports.audit_log import AuditLog
from transports.certificates import ServerCertificate
from transports.errors import BadUrl, CannotListen
from transports.memory_budget import MemoryBudget
from transports.tls import CertificateUnusable, ServerTls

if TYPE_CHECKING:
    from chatapp.monitoring import Monitoring
    from chatwebhooks.sender import HttpWebhooks

_log = logging.getLogger(__name__)
_COLLECTOR_THRESHOLDS: Final = (10_000, 250, 1000)
"""For gc.set_threshold. A connection of the WebSocket library that has ended is garbage
in cycles: a look at the youngest 50,000 objects took 60 ms, at 10,000 a fifth (B2)."""
_SWITCH_S: Final = 0.0005
"""How long a thread may keep the interpreter while another waits for it. The store's
thread asks for it several times a commit: with Python's 5 ms a commit would take a
tenth of a second whenever the event loop is busy."""
_STOPPING: Final = (signal.SIGTERM, signal.SIGINT)


def run(settings: ServeSettings) -> int:
    """Serve until a signal ends it; the exit status."""
    log_to_stderr(form=settings.log_format, level=settings.log_level)
    check_installed()
    allow_many_sockets()
    run_on(settings.loop, _serve(settings))
    return 0


async def _serve(settings: ServeSettings) -> None:
    """Open, listen, tell, wait for a signal, and close in the reverse order.

    Raises:
        CannotLoad: the application's own parts cannot be used.
        CannotWrite: the audit log cannot be written.
        CannotServe: an address, URL or path that cannot be listened on.
        CannotStore: the store answers, but does not work.
        SettingWrong: passwords cannot be hashed as it was set, or files of TLS cannot
            be used.
        chatstores.errors.OpeningError: the store cannot be opened.
    """
    stop = _stop_on_signals()
    hangups = Hangups()
    # Before the store, which makes its file: hashing may be set to what cannot be.
    environment = replace(_environment(settings), observer=AuditLog())
    budget = MemoryBudget(settings.limits.held_bytes)
    certificate = _certificate(settings)
    if certificate is not None:
        hangups.add(certificate.reload)
    page = page_of(settings, registration := _registration(settings))
    async with AsyncExitStack() as opened:
        policy = load_policy(settings.policy, folder=settings.app_dir)
        list_policy = load_list_policy(settings.list_policy, folder=settings.app_dir)
        identities = await open_identities(settings, folder=settings.app_dir)
        handlers, webhooks = _told(settings)
        if settings.audit_log:
            file = opened.enter_context(audit_to(Path(settings.audit_log)))
            hangups.add(file.reopen)
        try:
            monitor = await _monitor(settings, opened)
            store = await opened.enter_async_context(open_store(settings.store))
            chat = Chat(
                store,
                limits=settings.limits,
                second_login=settings.second_login,
                erasure_log=_erasure_log(settings, store, opened),
                policy=policy,
                list_policy=list_policy,
                identities=identities,
                registration=registration,
                handlers=handlers,
                webhooks=webhooks,
            )
            serving = serve(
                chat,
                *settings.urls,
                environment=environment,
                memory_budget=budget,
                tls=certificate,
                proxies=[it for it in settings.proxies.split(",") if it],
                site=page,
            )
            urls = await opened.enter_async_context(serving)
        except (Outage, WebhooksNotKept) as error:
            raise CannotStore(
                f"{without_password(settings.store)} cannot be used: {error}"
            ) from error
        except (BadUrl, CannotListen) as error:
            raise CannotServe(str(error)) from error
        await opened.enter_async_context(admin_socket(chat, settings.admin_socket))
        _spare_the_collector()
        sys.setswitchinterval(_SWITCH_S)
        if monitor is not None:
            monitor.begin(chat, urls, budget, environment)
        hangups.listen()
        _tell(settings, urls, page, lasts=store.durable)
        await stop.wait()
        if monitor is not None:
            monitor.stop()
        _log.info("Stopping: peers are told, the store is flushed")
    _log.info("Stopped")


def _told(
    settings: ServeSettings,
) -> "tuple[MessageHandlers | None, HttpWebhooks | None]":
    """Whom the chat tells what becomes of messages."""
    handlers = load_handlers(settings.handlers, folder=settings.app_dir)
    return handlers, make_webhooks(settings)


def _tell(
    settings: ServeSettings, urls: list[str], page: ChatPage | None, *, lasts: bool
) -> None:
    """Say where it accepts, to programs on stdout and to people in the log."""
    places = page.begin(urls, lasts=lasts) if page is not None else ()
    for url in urls:
        print(f"ready {url}", flush=True)  # noqa: T201  # this is for programs
    _log.info("Serving %s from %s", ", ".join(urls), without_password(settings.store))
    if places:
        _log.info("A page to talk on: %s", ", ".join(places))


async def _monitor(
    settings: ServeSettings, opened: AsyncExitStack
) -> "Monitoring | None":
    """What answers by HTTP, if that is asked for; told on stdout once it does."""
    if not settings.metrics:
        return None
    from chatapp.monitoring import monitoring  # noqa: PLC0415  # it takes long to import

    host, port = parse_metrics_address(settings.metrics)
    monitor = await opened.enter_async_context(monitoring(host, port))
    print(f"metrics {monitor.url}/metrics", flush=True)  # noqa: T201  # as ready
    return monitor


def _erasure_log(
    settings: ServeSettings, store: Store, opened: AsyncExitStack
) -> FileErasureLog | None:
    """Where deletions are written down besides the store; closed with the rest."""
    if not settings.erasure_log:
        return None
    if not store.durable:
        told = without_password(settings.store)
        raise SettingWrong(
            f"--erasure-log is for a store that lasts, which {told} does not."
        )
    log = FileErasureLog(Path(settings.erasure_log), reset=settings.erasure_log_reset)
    opened.callback(log.close)
    return log


def _spare_the_collector() -> None:
    """Have the garbage collector look at less, and more rarely.

    Mail that waits and sessions are no garbage, and hardly anything here is in a cycle:
    each look at all of them would hold up everybody for as long as there are many.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTOR_THRESHOLDS)


def _certificate(settings: ServeSettings) -> ServerCertificate | None:
    """What the listeners show; None without TLS."""
    if not settings.tls_certificate:
        return None
    tls = ServerTls(
        certificate=settings.tls_certificate,
        key=settings.tls_key,
        client_ca=settings.tls_client_ca,
    )
    try:
        return ServerCertificate(tls)
    except CertificateUnusable as error:
        raise SettingWrong(str(error)) from error


def _registration(settings: ServeSettings) -> Registration:
    """Who may make accounts, which is told where it was not chosen."""
    if settings.registration != "auto":
        return Registration(settings.registration)
    if all(map(is_on_loopback, settings.urls)):
        return Registration.OPEN
    if settings.has_passwords:
        _log.info("Only the operator makes accounts: --registration open changes that")
    return Registration.CLOSED


def page_of(settings: ServeSettings, registration: Registration) -> ChatPage | None:
    """What is answered beside the chat; None without a page."""
    serves_http = settings.listens_for_http
    is_for_us_alone = all(map(is_on_loopback, settings.urls))
    if not serves_http or settings.page == "off":
        return None
    if settings.page == "auto" and not is_for_us_alone:
        return None
    if settings.has_proofs:
        return None  # it asks for a name and a password, which nobody has
    return ChatPage("elsewhere" if settings.credentials else registration.value)


def _environment(settings: ServeSettings) -> Environment:
    hashing = HashSettings(
        memory_kib=settings.hash_memory_kib,
        passes=settings.hash_passes,
        workers=settings.hash_workers,
        queue=settings.hash_queue,
        address_queue=settings.hash_address_queue,
    )
    if settings.insecure_fast_hash:
        _log.warning(
            "Passwords are hashed insecurely (--insecure-fast-hash): for a demo only"
        )
        hashing = INSECURE_FAST_HASH
    try:
        return system_environment(hashing)
    except HashingError as error:
        raise SettingWrong(
            f"Passwords cannot be hashed with hash_memory_kib = {hashing.memory_kib} "
            f"and hash_passes = {hashing.passes}: {error}."
        ) from error


def _stop_on_signals() -> asyncio.Event:
    """An event that the first signal sets; the next one ends the process at once."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def begin_to_stop() -> None:
        for number in _STOPPING:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
        stop.set()

    for number in _STOPPING:
        try:
            loop.add_signal_handler(number, begin_to_stop)
        except NotImplementedError:  # on Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    return stop
