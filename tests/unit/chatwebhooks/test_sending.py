"""Webhooks are sent by HTTP to a real receiver, at least once, and harm nobody."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from chatcore import (
    BadWebhookSecret,
    Chat,
    HttpWebhooks,
    IdempotencyKey,
    WebhookSettings,
    WebhooksNotKept,
    open_server,
    open_store,
    parse_webhook_secrets,
)
from chatcore.commands import OutboxAction, Send
from chatcore.errors import StoreUnavailable
from chatcore.outbox import QueuedWebhook, Retry
from chatstores.memory import MemoryStore
from chatstores.memory.outbox import MemoryOutbox
from chatsystem import INSECURE_FAST_HASH, system_environment
from tests.certificates import make_authority
from tests.webhook_receiver import PATIENCE_S, SECRET, receiving

QUICK = WebhookSettings(first_retry_s=0.001, longest_retry_s=0.01)
KEY = IdempotencyKey(bytes.fromhex("01a0f3b0d2f07000800000000000000a"))


@asynccontextmanager
async def chat_telling(
    *urls: str,
    settings: WebhookSettings = QUICK,
    with_body: bool = False,
    retry_failed: bool = False,
    store_url: str = "memory:",
) -> AsyncIterator[tuple[Chat, HttpWebhooks]]:
    """A chat of ada and bob that is served, and sends webhooks."""
    webhooks = HttpWebhooks(
        urls,
        secrets=parse_webhook_secrets(SECRET),
        settings=settings,
        with_body=with_body,
        retry_failed=retry_failed,
    )
    async with open_store(store_url) as store:
        chat = Chat(store, webhooks=webhooks)
        environment = system_environment(INSECURE_FAST_HASH)
        async with (
            asyncio.timeout(PATIENCE_S),
            open_server(chat, environment=environment),
        ):
            for name in ("ada", "bob"):
                await chat.ensure_account(name)
            yield chat, webhooks


async def until_waiting(chat: Chat, count: int) -> None:
    """Return once so many webhooks are left."""
    assert chat.outbox is not None
    while chat.outbox.waiting != count:  # noqa: ASYNC110  # nobody tells of it
        await asyncio.sleep(0)


async def test_each_message_is_told_and_signed_without_its_text() -> None:
    async with receiving() as receiver, chat_telling(receiver.url) as (chat, _):
        receipts = [await chat.send("ada", "bob", it) for it in ("one", "two")]
        await receiver.until_positions(1, 2)
        await until_waiting(chat, 0)

    assert all(it.is_signed() for it in receiver.requests)
    first = min(receiver.requests, key=lambda it: it.position)
    assert first.line == "POST /hooks?of=it HTTP/1.1"
    assert first.headers["content-type"] == "application/json"
    assert first.data == {
        "sender": {"id": 1, "name": "ada"},
        "recipient": {"id": 2, "name": "bob"},
        "position": 1,
        "sent_at_ms": receipts[0].sent_at_ms,
    }
    assert b'"type":"message.stored"' in first.body
    assert len({it.id for it in receiver.requests}) == 2


async def test_its_text_is_told_where_that_is_asked_for() -> None:
    async with (
        receiving() as receiver,
        chat_telling(receiver.url, with_body=True) as (chat, _),
    ):
        await chat.send("ada", "bob", 'zwölf "\0"\n')
        await receiver.until_positions(1)

    assert [it.data["body"] for it in receiver.requests] == ['zwölf "\0"\n']


async def test_a_repeat_under_a_key_is_told_once() -> None:
    async with receiving() as receiver, chat_telling(receiver.url) as (chat, _):
        key = _key_of_now()
        for body in ("one", "one"):
            await chat.send("ada", "bob", body, key=key)
        await chat.send("ada", "bob", "two")
        await receiver.until_positions(1, 2)
        await until_waiting(chat, 0)

    assert sorted(it.position for it in receiver.requests) == [1, 2]


def _key_of_now() -> IdempotencyKey:
    now_ms = system_environment(INSECURE_FAST_HASH).clock.now_ms()
    return IdempotencyKey(now_ms.to_bytes(6, "big") + KEY[6:])


async def test_what_was_refused_comes_again_under_the_same_name() -> None:
    async with receiving() as receiver, chat_telling(receiver.url) as (chat, webhooks):
        receiver.answer = lambda _: 500 if len(receiver.requests) < 3 else 200
        await chat.send("ada", "bob", "one")
        await until_waiting(chat, 0)

    assert len(receiver.requests) == 3
    assert len({it.id for it in receiver.requests}) == 1
    assert (webhooks.counts.sent, webhooks.counts.refused) == (1, 2)


async def test_nobody_listening_is_tried_again_too() -> None:
    async with receiving() as receiver:
        url = receiver.url
    port = int(url.split(":")[2].partition("/")[0])
    async with chat_telling(url) as (chat, webhooks):
        await chat.send("ada", "bob", "one")
        while not webhooks.counts.refused:  # noqa: ASYNC110  # nobody tells of it
            await asyncio.sleep(0)
        async with receiving(port=port) as again:
            await again.until_positions(1)
            await until_waiting(chat, 0)

    assert again.requests[0].is_signed()


async def test_a_redirect_is_not_followed() -> None:
    async with receiving() as elsewhere, receiving() as receiver:
        answer = (
            f"HTTP/1.1 307 X\r\nContent-Length: 0\r\nLocation: {elsewhere.url}\r\n\r\n"
        )
        receiver.answer = lambda _: answer.encode()
        once = WebhookSettings(attempts=1)
        async with chat_telling(receiver.url, settings=once) as (chat, _):
            await chat.send("ada", "bob", "one")
            await until_waiting(chat, 0)
            assert chat.outbox is not None
            failed = chat.outbox.failed

    assert (len(receiver.requests), elsewhere.requests, failed) == (1, [], 1)


async def test_a_slow_receiver_holds_up_nobody_who_chats() -> None:
    settings = WebhookSettings(at_once=3)
    async with (
        receiving(is_open=False) as receiver,
        chat_telling(receiver.url, settings=settings) as (chat, _),
    ):
        sends = [Send("bob", str(number)) for number in range(40)]
        await chat.send_all("ada", sends)
        await receiver.until(lambda it: it.at_once == 3)

        # All are stored, and as many more, while it has answered nothing.
        await chat.send_all("ada", sends)
        pending = await chat.pending("bob")
        answered_meanwhile = len(receiver.requests) - receiver.at_once
        receiver.is_open.set()
        await receiver.until_positions(*range(1, 81))

    assert (pending.queued, answered_meanwhile) == (80, 0)
    assert receiver.most_at_once == 3


async def test_a_target_that_takes_nothing_does_not_hold_up_the_other() -> None:
    async with (
        receiving(is_open=False) as stuck,
        receiving() as receiver,
        chat_telling(stuck.url, receiver.url) as (chat, _),
    ):
        await chat.send_all("ada", [Send("bob", str(it)) for it in range(50)])
        await receiver.until_positions(*range(1, 51))
        await until_waiting(chat, 50)
        stuck.is_open.set()
        await stuck.until_positions(*range(1, 51))

    assert len(receiver.requests) == 50


async def test_an_answer_that_does_not_come_is_an_attempt_that_failed() -> None:
    settings = WebhookSettings(within_s=0.01, first_retry_s=0.001, longest_retry_s=0.01)
    async with (
        receiving(is_open=False) as receiver,
        chat_telling(receiver.url, settings=settings) as (chat, webhooks),
    ):
        await chat.send("ada", "bob", "one")
        await receiver.until(lambda it: len(it.requests) >= 2)

    assert webhooks.counts.refused >= 1
    assert webhooks.counts.sent == 0


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 X\r\nContent-Length: 1000000000\r\n\r\n" + bytes(100_000),
        b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"10000\r\n" + bytes(0x10000) + b"\r\n10000\r\n",
        b"HTTP/1.1 200 X\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
    ],
    ids=["long", "chunked", "no gzip"],
)
async def test_an_answer_is_read_as_far_as_it_has_to_be(answer: bytes) -> None:
    async with (
        receiving() as receiver,
        chat_telling(receiver.url) as (chat, webhooks),
    ):
        receiver.answer = lambda _: answer
        await chat.send("ada", "bob", "one")
        await until_waiting(chat, 0)

    assert (webhooks.counts.sent, len(receiver.requests)) == (1, 1)


@pytest.mark.parametrize(
    "answer",
    [
        b"what?\r\n\r\n",
        b"HTTP/1.1 200 X\r\nContent-Length: -1\r\n\r\n",
        b"\0" * 200_000,
    ],
    ids=["no HTTP", "no length", "no end"],
)
async def test_what_is_no_answer_is_an_attempt_that_failed(answer: bytes) -> None:
    async with (
        receiving() as receiver,
        chat_telling(receiver.url, settings=WebhookSettings(attempts=1)) as (chat, _),
    ):
        receiver.answer = lambda _: answer
        await chat.send("ada", "bob", "one")
        await until_waiting(chat, 0)
        assert chat.outbox is not None
        failed = chat.outbox.failed

    assert failed == 1


async def test_only_a_receiver_whose_certificate_is_trusted_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = make_authority(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*authority.issue("receiver"))
    once = WebhookSettings(attempts=1)
    async with receiving(tls=context) as receiver:
        async with chat_telling(receiver.url, settings=once) as (chat, _):
            await chat.send("ada", "bob", "to a stranger")
            await until_waiting(chat, 0)
        told_a_stranger = len(receiver.requests)
        monkeypatch.setenv("SSL_CERT_FILE", authority.path)
        async with chat_telling(receiver.url, settings=once) as (chat, webhooks):
            await chat.send("ada", "bob", "to a friend")
            await until_waiting(chat, 0)

    assert told_a_stranger == 0
    assert (len(receiver.requests), webhooks.counts.sent) == (1, 1)


class FailingOutbox(MemoryOutbox):
    """Cannot be asked at first, or told what became of a webhook."""

    def __init__(self) -> None:
        super().__init__()
        self.failures = ["due", "settle", "settle"]

    def _fail_once(self, call: str) -> None:
        if self.failures and self.failures[0] == call:
            del self.failures[0]
            raise StoreUnavailable(reason="it is on a walk")

    async def due(
        self, target: str, *, now_ms: int, longest_ms: int, limit: int
    ) -> Sequence[QueuedWebhook]:
        self._fail_once("due")
        return await super().due(
            target, now_ms=now_ms, longest_ms=longest_ms, limit=limit
        )

    async def settle(
        self, *, sent: Sequence[int], again: Sequence[Retry], failed: Sequence[int]
    ) -> None:
        self._fail_once("settle")
        await super().settle(sent=sent, again=again, failed=failed)


async def test_a_store_that_fails_for_a_while_has_nothing_sent_twice() -> None:
    outbox = FailingOutbox()
    store = MemoryStore()
    store.outbox = outbox
    async with receiving() as receiver:
        webhooks = HttpWebhooks(
            [receiver.url], secrets=parse_webhook_secrets(SECRET), settings=QUICK
        )
        chat = Chat(store, webhooks=webhooks)
        environment = system_environment(INSECURE_FAST_HASH)
        async with (
            asyncio.timeout(PATIENCE_S),
            open_server(chat, environment=environment),
        ):
            await chat.ensure_account("ada")
            await chat.send_all("ada", [Send("ada", "one"), Send("ada", "two")])
            await until_waiting(chat, 0)

    assert outbox.failures == []
    assert sorted(it.position for it in receiver.requests) == [1, 2]


async def test_no_cookie_is_kept() -> None:
    answer = b"HTTP/1.1 200 X\r\nContent-Length: 0\r\nSet-Cookie: a=b; Path=/\r\n\r\n"
    async with receiving() as receiver, chat_telling(receiver.url) as (chat, _):
        receiver.answer = lambda _: answer
        for number in (1, 2):
            await chat.send("ada", "bob", "one")
            await receiver.until_positions(number)

    assert [it.headers.get("cookie") for it in receiver.requests] == [None, None]


async def test_what_was_given_up_is_kept_and_tried_again_when_asked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store_url = f"sqlite:///{tmp_path}/chat.db"
    few = WebhookSettings(attempts=2, first_retry_s=0.001, longest_retry_s=0.01)
    async with receiving() as receiver:
        receiver.answer = lambda _: 410
        told = chat_telling(receiver.url, settings=few, store_url=store_url)
        async with told as (chat, _):
            await chat.send("ada", "bob", "one")
            await until_waiting(chat, 0)
            assert chat.outbox is not None
            failed = chat.outbox.failed
        tried = len(receiver.requests)
        receiver.answer = lambda _: 204
        again = chat_telling(receiver.url, retry_failed=True, store_url=store_url)
        async with again as (chat, _):
            await until_waiting(chat, 0)
            assert chat.outbox is not None
            left = chat.outbox.failed

    assert (failed, tried, left, len(receiver.requests)) == (1, 2, 0, 3)
    assert "does not take webhooks: status 410" in caplog.text
    assert "of=it" not in caplog.text


async def test_what_a_deleted_account_was_sent_is_told_without_its_text() -> None:
    settings = WebhookSettings(at_once=1)
    async with (
        receiving(is_open=False) as receiver,
        chat_telling(receiver.url, settings=settings, with_body=True) as (chat, _),
    ):
        await chat.send("ada", "bob", "is under way")
        await receiver.until(lambda it: it.at_once == 1)
        await chat.send("ada", "bob", "waits")
        await chat.send("ada", "ada", "to the sender")
        await chat.delete("bob")
        receiver.is_open.set()
        await receiver.until(lambda it: len(it.requests) == 3)

    bodies = [it.data.get("body") for it in receiver.requests]
    assert bodies == ["is under way", None, "to the sender"]


async def test_what_was_retracted_is_told_without_its_text() -> None:
    settings = WebhookSettings(at_once=1)
    async with (
        receiving(is_open=False) as receiver,
        chat_telling(receiver.url, settings=settings, with_body=True) as (chat, _),
    ):
        await chat.send("bob", "bob", "is under way")
        await receiver.until(lambda it: it.at_once == 1)
        await chat.send("ada", "bob", "is retracted")
        await chat.delete("ada", outbox=OutboxAction.RETRACT)
        receiver.is_open.set()
        await receiver.until(lambda it: len(it.requests) == 2)

    assert receiver.requests[1].data["sender"]["name"] == "ada"
    assert "body" not in receiver.requests[1].data


async def test_the_end_waits_for_what_is_under_way_and_keeps_the_rest(
    tmp_path: Path,
) -> None:
    store_url = f"sqlite:///{tmp_path}/chat.db"
    settings = WebhookSettings(at_once=2)
    async with receiving(is_open=False) as receiver:
        told = chat_telling(receiver.url, settings=settings, store_url=store_url)
        async with told as (chat, webhooks):
            await chat.send_all("ada", [Send("bob", str(it)) for it in range(5)])
            await receiver.until(lambda it: it.at_once == 2)
            asyncio.get_running_loop().call_soon(receiver.is_open.set)
        sent = webhooks.counts.sent
        assert chat.outbox is not None
        left = chat.outbox.waiting
        told = chat_telling(receiver.url, store_url=store_url)
        async with told as (chat, _):
            await until_waiting(chat, 0)

    assert sent + left == 5
    assert sorted(it.position for it in receiver.requests) == [1, 2, 3, 4, 5]


async def test_a_store_that_keeps_none_says_so_when_the_chat_starts() -> None:
    class Plain:
        """A store without an outbox."""

    webhooks = HttpWebhooks(
        ["https://app.example"], secrets=parse_webhook_secrets(SECRET)
    )
    chat = Chat(Plain(), webhooks=webhooks)  # type: ignore[arg-type]  # on purpose

    with pytest.raises(WebhooksNotKept, match=r"Plain keeps no webhooks.*sqlite:"):
        await chat.start(system_environment(INSECURE_FAST_HASH))


def test_there_is_no_sending_without_a_secret() -> None:
    with pytest.raises(BadWebhookSecret):
        HttpWebhooks(["https://app.example"], secrets=[])


async def test_many_refusals_are_a_few_lines(caplog: pytest.LogCaptureFixture) -> None:
    async with (
        receiving() as receiver,
        chat_telling(receiver.url, settings=WebhookSettings(attempts=1)) as (chat, _),
    ):
        receiver.answer = lambda _: 503
        await chat.send_all("ada", [Send("bob", str(it)) for it in range(12)])
        await until_waiting(chat, 0)

    lines = [it for it in caplog.records if it.levelno >= logging.WARNING]
    assert len(lines) == 1
