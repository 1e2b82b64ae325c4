"""XMPP as bytes: the opening, receipts by count, deliveries, ends."""

import base64

import pytest

from chatbench.peers.xmpp import XmppSession
from chatbench.wire.base import Arrival
from chatbench.wire.connection import CannotOpen
from tests.unit.chatbench.peers.transcripts import Transcript, begun

FEATURES = b"<stream:features><mechanisms/></stream:features>"
SUCCESS = b"<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
BOUND = b"<iq id='bind' type='result'><bind><jid>ada@localhost/bench</jid></bind></iq>"
ENABLED = b"<enabled xmlns='urn:xmpp:sm:3'/>"
PRESENCE = b"<presence from='ada@localhost/bench' to='ada@localhost/bench'/>"


def connected() -> Transcript[XmppSession]:
    return begun(lambda told, fault: XmppSession("ada", "secret", told, fault))


def logged_in() -> Transcript[XmppSession]:
    transcript = connected()
    registered = b"<iq type='result' id='register'/>"
    for answer in (FEATURES, registered, SUCCESS, FEATURES, BOUND, ENABLED, PRESENCE):
        transcript.hears(answer)
    transcript.says()
    return transcript


def message(body: str) -> bytes:
    head = "<message from='bob@localhost/bench' to='ada@localhost' type='chat'>"
    return f"{head}<body>{body}</body></message>".encode()


async def test_it_registers_logs_in_binds_and_enables_acknowledgements() -> None:
    ada = connected()

    stream = ada.says()
    register = ada.hears(b"<?xml version='1.0'?><stream:stream id='1'>" + FEATURES)
    login = ada.hears(b"<iq type='result' id='register'/>")
    again = ada.hears(SUCCESS)
    bind = ada.hears(b"<stream:stream id='2'>" + FEATURES)
    enable = ada.hears(BOUND)
    presence = ada.hears(ENABLED)
    ada.hears(PRESENCE)

    assert stream.startswith(b"<stream:stream xmlns='jabber:client'")
    assert b"<username>ada</username><password>secret</password>" in register
    assert base64.b64encode(b"\0ada\0secret") in login
    assert again == stream
    assert b"<resource>bench</resource>" in bind
    assert enable == b"<enable xmlns='urn:xmpp:sm:3'/>"
    assert presence == b"<presence/>"
    assert ada.session.opened.done()


async def test_a_name_that_is_taken_logs_in() -> None:
    ada = connected()
    ada.hears(FEATURES)

    said = ada.hears(
        b'<iq type="error" id="register"><error code="409" type="cancel"/></iq>'
    )

    assert b"<auth " in said


async def test_a_wrong_password_is_why_it_does_not_open() -> None:
    ada = connected()
    ada.hears(FEATURES)
    ada.hears(b"<iq type='result' id='register'/>")

    ada.hears(b"<failure xmlns='sasl'><not-authorized/></failure>")

    with pytest.raises(CannotOpen, match=r"refused ada: .*not-authorized"):
        await ada.session.opened
    assert ada.paper.is_aborted
    assert ada.faults == []


async def test_a_batch_asks_for_its_receipts_once() -> None:
    ada = logged_in()

    ada.session.send("bob", ["one", "<two>"])

    head = b"<message to='bob@localhost' type='chat'><body>"
    assert ada.says() == (
        head
        + b"one</body></message>"
        + head
        + b"&lt;two&gt;</body></message><r xmlns='urn:xmpp:sm:3'/>"
    )


async def test_receipts_are_what_the_count_grew_by_without_the_presence() -> None:
    ada = logged_in()

    ada.hears(b"<a xmlns='urn:xmpp:sm:3' h='3'/>")
    ada.hears(b'<a h="4" xmlns="urn:xmpp:sm:3"/>')

    assert ada.arrivals == [Arrival(2, [], 0), Arrival(1, [], 0)]


async def test_deliveries_come_in_order_with_their_position() -> None:
    ada = logged_in()

    ada.hears(message("one") + message("a &amp; &#39;b&#39;"))
    ada.hears(message("three"))

    assert ada.arrivals == [
        Arrival(0, ["one", "a & 'b'"], 2),
        Arrival(0, ["three"], 3),
    ]


async def test_a_stream_cut_anywhere_brings_the_same() -> None:
    brought = b"\n" + message("one") + b"<r xmlns='urn:xmpp:sm:3'/>" + message("two")
    for cut in range(len(brought)):
        ada = logged_in()

        ada.hears(brought[:cut])
        ada.hears(brought[cut:])

        assert [body for it in ada.arrivals for body in it.bodies] == ["one", "two"]
        assert ada.session.frames_in == 4  # the presence among them


async def test_it_acknowledges_when_it_is_asked_with_all_stanzas_counted() -> None:
    ada = logged_in()
    ada.hears(message("one"))
    ada.session.acknowledge(1)
    unasked = ada.says()

    asked = ada.hears(b"<r xmlns='urn:xmpp:sm:3'/>")
    again = ada.hears(message("two"))

    assert unasked == b""
    assert asked == b"<a xmlns='urn:xmpp:sm:3' h='2'/>"
    assert again == b""


async def test_a_message_that_comes_back_is_a_fault() -> None:
    ada = logged_in()

    ada.hears(b"<message type='error' from='nobody@localhost'><error/></message>")

    assert len(ada.faults) == 1
    assert "nobody@localhost" in ada.faults[0]
    assert ada.paper.is_aborted


async def test_an_error_of_the_stream_is_a_fault_told_once() -> None:
    ada = logged_in()

    ada.hears(b"<stream:error><policy-violation/></stream:error></stream:stream>")
    ada.session.connection_lost(None)

    assert len(ada.faults) == 1
    assert "policy-violation" in ada.faults[0]
