"""``chatcore client``: chat from a terminal, or from a pipe.

On a pipe the commands are carried out one after another, a password is the line after
the one that needs it, and the exit status is 1 when something was refused.
"""

import asyncio
import sys

from chatapp.client.pipe import Pipe
from chatapp.client.shell import Shell
from chatapp.connecting import TerminalSettings, cannot_reach
from chatapp.errors import SettingWrong
from chatapp.exit_codes import ExitCode
from transports import connect
from transports.errors import BadUrl, CannotConnect
from transports.tls import CertificateUnusable


def run(settings: TerminalSettings) -> int:
    """Chat until the input ends; the exit status."""
    if sys.stdin.isatty() and sys.stdout.isatty():
        return asyncio.run(_chat_on_terminal(settings))
    return asyncio.run(_chat_on_pipe(settings))


async def _chat_on_terminal(settings: TerminalSettings) -> int:
    # prompt_toolkit takes a while to import, and a pipe does without.
    from chatapp.client.terminal import open_terminal  # noqa: PLC0415

    with open_terminal() as terminal:
        shell = Shell(terminal, invitation=settings.invitation)
        await _chat(settings, shell)
    return ExitCode.INTERRUPTED if shell.is_abandoned else ExitCode.DONE


async def _chat_on_pipe(settings: TerminalSettings) -> int:
    shell = Shell(Pipe(), invitation=settings.invitation)
    await _chat(settings, shell)
    return ExitCode.REFUSED if shell.refused else ExitCode.DONE


async def _chat(settings: TerminalSettings, shell: Shell) -> None:
    """Connect, and let the shell have the client.

    Raises:
        CannotReach: there is no server.
        SettingWrong: a URL that no transport serves, or files that are of no use.
        chatcore.errors.Closed: the server ended the link for good.
    """
    try:
        async with connect(
            settings.urls,
            codec=settings.asked_codec,
            on_link=shell.tell_link,
            tls=settings.client_tls,
        ) as client:
            await shell.run(client)
    except (BadUrl, CertificateUnusable) as error:
        raise SettingWrong(str(error)) from error
    except CannotConnect as error:
        raise cannot_reach(error, settings) from error
