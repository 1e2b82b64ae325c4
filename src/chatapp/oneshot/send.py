"""``chatcore send``: send one message, or one for each line of stdin."""

import sys
from collections.abc import Sequence
from functools import partial
from typing import Final
from uuid import UUID

from chatapp.error_report import line_for, status_of
from chatapp.errors import SettingWrong
from chatapp.exit_codes import ExitCode
from chatapp.line_reader import LineReader
from chatapp.oneshot import records
from chatapp.oneshot.passwords import known_password
from chatapp.oneshot.record_writer import RecordWriter
from chatapp.oneshot.session import talk
from chatapp.oneshot.settings import SendSettings
from chatcore.commands import DeliveryMode
from chatcore.errors import InvalidBody, Refusal
from chatcore.events import Accepted
from chatcore.ids import IdempotencyKey
from chatcore.limits import MIB, Limits
from transports import Client

_STDIN: Final = ("-",)
# JSON may need six bytes for one, and a frame of the client's has at most 1 MiB. What
# a server takes is less: it says so itself.
_MOST_BYTES: Final = MIB // 6 - 4096
# What a server takes unless its operator has set another limit.
_BODY_BYTES: Final = Limits().body_bytes


def run(settings: SendSettings) -> int:
    """Send; the exit status, with ``--lines`` that of the first line refused."""
    password = known_password(settings.password_file)
    key = _key(settings.key)
    if settings.lines:
        body = ""
    elif settings.text and settings.text != _STDIN:
        body = " ".join(settings.text)
    else:
        body = _read_all()
    _check_size(body)

    async def send(client: Client, output: RecordWriter) -> ExitCode:
        await client.login(settings.username, password, delivery=DeliveryMode.MANUAL)
        if settings.lines:
            return await _LineSender(settings, client, output).run()
        receipt = await client.send(settings.recipient, body, key=key)
        await output.print(records.sent(settings.recipient, receipt))
        return ExitCode.DONE

    return talk(settings, send)


class _LineSender:
    """Sends lines as they come, those that come together as one batch."""

    def __init__(
        self, settings: SendSettings, client: Client, output: RecordWriter
    ) -> None:
        self._settings = settings
        self._client = client
        self._output = output
        self._lines = LineReader(sys.stdin.fileno())
        self._sent = 0
        self._status = ExitCode.DONE

    async def run(self) -> ExitCode:
        """Go on to the end of the input, or to what concerns more than one line.

        A line that is no message is told and passed over. After any other refusal
        nothing more is read: the next line would most likely fare the same.
        """
        goes_on = True
        while goes_on and (lines := await self._lines.next()):
            bodies = [_body(line) for line in lines]
            for outcome in await self._send(bodies):
                self._sent += 1
                if isinstance(outcome, Accepted):
                    await self._output.print(
                        records.sent(self._settings.recipient, outcome, line=self._sent)
                    )
                else:
                    self._tell(outcome)
                    goes_on = goes_on and isinstance(outcome, InvalidBody)
        return self._status

    async def _send(self, bodies: Sequence[str | Refusal]) -> list[Accepted | Refusal]:
        """Send what can be sent; the outcome for each."""
        messages = [
            (self._settings.recipient, body) for body in bodies if isinstance(body, str)
        ]
        outcomes = iter(await self._client.send_all(messages))
        return [next(outcomes) if isinstance(it, str) else it for it in bodies]

    def _tell(self, refusal: Refusal) -> None:
        told = line_for(refusal, as_json=self._settings.json, line=self._sent)
        print(told, file=sys.stderr)  # noqa: T201  # this is for people and programs
        if self._status is ExitCode.DONE:
            self._status = status_of(refusal) or ExitCode.REFUSED


def _body(line: bytes) -> str | Refusal:
    """A line as a message, or why it is none."""
    try:
        body = line.decode()
        _check_size(body)
    except UnicodeDecodeError:
        return InvalidBody(maximum=_BODY_BYTES, bytes="none")
    except InvalidBody as refusal:
        return refusal
    return body


def _read_all() -> str:
    """All of stdin, without its last line end, as a shell's ``$(…)`` has it."""
    content = sys.stdin.buffer.read(_MOST_BYTES + 2)
    more = sum(map(len, iter(partial(sys.stdin.buffer.read, MIB), b"")))
    if more:
        raise InvalidBody(maximum=_BODY_BYTES, bytes=len(content) + more)
    body = _body(content.removesuffix(b"\n").removesuffix(b"\r"))
    if isinstance(body, Refusal):
        raise body
    return body


def _check_size(body: str) -> None:
    """Raise where no frame could hold it; the server has the last word on the rest."""
    size = len(body.encode("utf-8", "surrogatepass"))
    if size > _MOST_BYTES:
        raise InvalidBody(maximum=_BODY_BYTES, bytes=size)


def _key(text: str) -> IdempotencyKey | None:
    """The key that the script gave; None for one that the client makes.

    Raises:
        SettingWrong: it is no UUID; the server refuses those of other versions.
    """
    if not text:
        return None
    try:
        return IdempotencyKey(UUID(text).bytes)
    except ValueError as error:
        raise SettingWrong("--key is a UUIDv7, such as uuidgen --time-v7.") from error
