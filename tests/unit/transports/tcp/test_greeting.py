"""The first line each way (W1, W2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatcore.errors import CloseCode
from transports.codec import CODECS, codec
from transports.errors import LinkClosed
from transports.framing import LengthFraming, LineFraming
from transports.tcp.greeting import refuse
from transports.tcp.handshake import (
    WELCOME,
    framing_for,
    greet,
    read_greeting,
    read_welcome,
)


@pytest.mark.rule("W2")
@pytest.mark.parametrize("name", CODECS)
def test_a_server_reads_what_a_client_writes(name: str) -> None:
    line = greet(name)

    assert line == f"CHAT/1 {name}\n".encode()
    assert read_greeting(line.rstrip(b"\n")) is codec(name)
    assert read_greeting(line.replace(b"\n", b"\r")) is codec(name)


@pytest.mark.rule("W1", "W2")
@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"", CloseCode.BROKEN_FRAME),
        (b"HELO json", CloseCode.BROKEN_FRAME),
        (b"CHAT json", CloseCode.WRONG_VERSION),
        (b"CHAT/2 json", CloseCode.WRONG_VERSION),
        (b"CHAT/10 json", CloseCode.WRONG_VERSION),
        (b"CHAT/2", CloseCode.WRONG_VERSION),
        (b"CHAT/1", CloseCode.BROKEN_FRAME),
        (b"CHAT/1 JSON", CloseCode.BROKEN_FRAME),
        (b"CHAT/1 json msgpack", CloseCode.BROKEN_FRAME),
        (b"chat/1 json", CloseCode.BROKEN_FRAME),
        (b"\xff\xfe\x00", CloseCode.BROKEN_FRAME),
    ],
)
def test_any_other_line_is_refused_with_a_code(line: bytes, code: CloseCode) -> None:
    with pytest.raises(LinkClosed) as refused:
        read_greeting(line)

    assert refused.value.code is code


@pytest.mark.rule("W1")
@given(line=st.binary(max_size=64))
def test_no_line_harms_a_server(line: bytes) -> None:
    try:
        chosen = read_greeting(line)
    except LinkClosed as refused:
        answer = refuse(refused)
        assert answer.endswith(b"\n")
        assert answer.count(b"\n") == 1
    else:
        assert chosen.name in CODECS


@pytest.mark.rule("W1")
@given(line=st.binary(max_size=64))
def test_no_line_harms_a_client(line: bytes) -> None:
    if line.strip() == WELCOME.strip():
        read_welcome(line)
    else:
        with pytest.raises(LinkClosed):
            read_welcome(line)


@pytest.mark.rule("W1")
@pytest.mark.parametrize("code", [CloseCode.WRONG_VERSION, CloseCode.SHUTTING_DOWN])
def test_a_client_reads_why_a_server_refused_it(code: CloseCode) -> None:
    line = refuse(LinkClosed(code, "This server speaks version 1."))

    with pytest.raises(LinkClosed) as refused:
        read_welcome(line)

    assert refused.value.code is code
    assert refused.value.text == "This server speaks version 1."


@pytest.mark.rule("W1")
def test_a_client_takes_an_unknown_code_for_another_version() -> None:
    with pytest.raises(LinkClosed) as refused:
        read_welcome(b"CHAT/1 error 4999 Something new.\n")

    assert refused.value.code is CloseCode.WRONG_VERSION


@pytest.mark.rule("W2")
def test_json_is_framed_by_lines_and_the_others_by_lengths() -> None:
    framings: dict[str, type] = {
        name: type(framing_for(codec(name), 100)) for name in CODECS
    }

    assert framings == {
        "json": LineFraming,
        "msgpack": LengthFraming,
        "protobuf": LengthFraming,
    }
