"""TLS from the command line: a certificate to try, a server, clients, a renewal."""

import asyncio
import signal
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.app.oneshots import started
from tests.app.processes import (
    CHEAP,
    COMMAND,
    RunningServer,
    chatcore,
    running_server,
)
from tests.certificates import make_authority
from tests.unit.transports.tls.servers import certificate_of

PORTS = {"tcp": 0, "websocket": 1, "grpc": 2}
FILES = ("chatcore-ca.pem", "chatcore-cert.pem", "chatcore-key.pem")
MEMORY = ("--store", "memory:", *CHEAP)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where ``chatcore cert`` has written."""
    made = tmp_path_factory.mktemp("certificates")
    assert chatcore("cert", "--out", str(made)).status == 0
    return made


def tls_flags(folder: Path) -> tuple[str, ...]:
    """Of a server."""
    certificate, key = folder / "chatcore-cert.pem", folder / "chatcore-key.pem"
    return ("--tls-certificate", str(certificate), "--tls-key", str(key))


@pytest.fixture(scope="module")
def everywhere(folder: Path) -> Iterator[RunningServer]:
    """A server of all transports with TLS."""
    flags = ("--transport", "all", "--port", "0", *tls_flags(folder), *MEMORY)
    with running_server(*flags, listeners=3) as running:
        yield running


def port_of(server: RunningServer, transport: str) -> str:
    return server.urls[PORTS[transport]].split("/")[2].rpartition(":")[2]


def test_a_certificate_is_made_whose_key_is_for_its_owner_alone(folder: Path) -> None:
    modes = {it.name: stat.S_IMODE(it.stat().st_mode) for it in folder.iterdir()}

    assert modes == dict(zip(FILES, (0o644, 0o644, 0o600), strict=True))


def test_it_says_how_to_use_what_it_wrote(tmp_path: Path) -> None:
    done = chatcore("cert", "chat.example", "--out", str(tmp_path))

    certificate, key, ca = (str(tmp_path / FILES[it]) for it in (1, 2, 0))
    assert done.lines[1].split("chatcore ", 1)[1] == (
        f"serve --tls-certificate {certificate} --tls-key {key}"
    )
    assert done.lines[2].split("chatcore ", 1)[1] == (
        f"client --host chat.example --tls-ca {ca}"
    )


def test_files_that_are_there_are_replaced_by_force_only(tmp_path: Path) -> None:
    key = tmp_path / "chatcore-key.pem"
    key.write_text("mine")

    refused = chatcore("cert", "--out", str(tmp_path))
    kept = key.read_text()
    forced = chatcore("cert", "--out", str(tmp_path), "--force")

    assert refused.status == 1
    assert refused.errors == (
        f"chatcore: [714] {key} would be lost: say --force to replace.\n"
    )
    assert kept == "mine"
    assert forced.status == 0
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_a_name_that_no_certificate_can_be_for_is_one_line_and_status_2(
    tmp_path: Path,
) -> None:
    done = chatcore("cert", "a b", "--out", str(tmp_path))

    assert done.status == 2
    assert done.errors.startswith("chatcore: [701] No certificate can be for")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("transport", PORTS)
def test_people_talk_over_each_transport_with_tls(
    everywhere: RunningServer, folder: Path, transport: str
) -> None:
    trust = ("--tls-ca", str(folder / "chatcore-ca.pem"))
    place = ("--transport", transport, "--port", port_of(everywhere, transport))
    password = {"CHATCORE_PASSWORD": "correct horse"}

    made = chatcore("create", f"ada-{transport}", *place, *trust, extra=password)
    plain = chatcore("list", "--as", "ada", *place, extra=password)

    assert made.lines == [f"Created ada-{transport}."]
    assert plain.status == 6
    assert plain.errors.endswith(" with TLS; try --tls.\n")


def test_whoever_trusts_the_system_alone_is_told_what_to_say_instead(
    everywhere: RunningServer,
) -> None:
    done = chatcore("client", "--tls", "--port", port_of(everywhere, "tcp"))

    assert done.status == 6
    assert "its certificate is not accepted: " in done.errors
    assert done.errors.endswith("; --tls-ca names a file of those to trust.\n")


def test_whoever_gave_a_plain_url_is_told_the_one_with_tls(
    everywhere: RunningServer,
) -> None:
    place = everywhere.urls[0].removeprefix("tcps://")

    with started(f"tcp://{place}", "list", "--as", "ada") as listing:
        status = listing.wait()
        assert listing.stderr is not None
        errors = listing.stderr.read()

    assert status == 6
    assert errors.endswith(f"with TLS; try --connect tcps://{place}.\n")


def test_plain_and_with_tls_at_the_same_time(folder: Path) -> None:
    urls = ("--listen", "tcp://127.0.0.1:0", "--listen", "wss://127.0.0.1:0")
    with running_server(*urls, *tls_flags(folder), *MEMORY, listeners=2) as server:
        schemes = [it.partition(":")[0] for it in server.urls]
        done = chatcore(
            "client",
            *("--connect", server.urls[0]),
            lines=["create ada", "correct horse"],
        )

    assert schemes == ["tcp", "wss"]
    assert done.status == 0


def test_a_hangup_renews_the_certificate_on_each_transport_and_ends_nothing(
    tmp_path: Path,
) -> None:
    authority = make_authority(tmp_path)
    tls = authority.server()
    flags = ("--transport", "all", "--port", "0", "--store", "memory:")
    pair = ("--tls-certificate", tls.certificate, "--tls-key", tls.key)
    with running_server(*flags, *pair, listeners=3, program=COMMAND) as server:
        old = asyncio.run(certificates_of(server.urls))
        authority.issue("server")
        server.process.send_signal(signal.SIGHUP)

        assert server.process.stderr is not None
        told = next(it for it in server.process.stderr if "certificate" in it)
        new = asyncio.run(certificates_of(server.urls))
        status = server.stop()

    assert "New connections get the certificate in " in told
    assert len(old) == len(new) == 1
    assert old != new
    assert status == 0


async def certificates_of(urls: Sequence[str]) -> set[bytes]:
    """What servers show to who connects next."""
    return {await certificate_of(it) for it in urls}


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (("--host", "0.0.0.0"), "listen on tcps://"),  # noqa: S104  # it is refused
        (("--host", "::", "--transport", "grpc"), "listen on grpcs://"),
        (("--listen", "ws://:7400"), "listen on wss://"),
        (("--listen", "tcp://192.0.2.1:7400"), "listen on tcps://"),
        (("--listen", "tcp://127.0.0.1:0", "--listen", "grpc://[::]:0"), "grpcs://"),
    ],
)
def test_without_tls_it_does_not_listen_where_other_machines_reach_it(
    tmp_path: Path, flags: tuple[str, ...], complaint: str
) -> None:
    done = chatcore("serve", *flags, folder=tmp_path)

    assert done.status == 2
    assert done.errors.startswith("chatcore: [701] ")
    assert complaint in done.errors
    assert done.errors.endswith(", or say --insecure.\n")
    assert list(tmp_path.iterdir()) == []


def test_whoever_says_insecure_is_served_plain() -> None:
    everywhere = ("--transport", "all", "--host", "0.0.0.0", "--port", "0")  # noqa: S104  # as said
    with running_server(*everywhere, "--insecure", *MEMORY, listeners=3) as server:
        schemes = [it.partition(":")[0] for it in server.urls]

    assert schemes == ["tcp", "ws", "grpc"]


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (("--tls-key", "k.pem"), "tls_certificate and tls_key go together.\n"),
        (("--tls-client-ca", "ca.pem"), "for a server with tls_certificate.\n"),
        (("--listen", "tcps://127.0.0.1:0"), "chatcore cert makes some to try.\n"),
        (("--transport", "wss"), "chatcore cert makes some to try.\n"),
        (("--tls-certificate", "c.pem", "--tls-key", "k.pem"), "No such file"),
    ],
)
def test_what_is_missing_for_tls_is_one_line_and_status_2(
    tmp_path: Path, flags: tuple[str, ...], complaint: str
) -> None:
    done = chatcore("serve", *flags, *MEMORY, folder=tmp_path)

    assert done.status == 2
    assert done.errors.splitlines()[-1].startswith("chatcore: [701] ")
    assert complaint in done.errors


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (("--tls", "--connect", "tcp://127.0.0.1:1"), "tcps://127.0.0.1:1 is with it"),
        (("--tls-key", "k.pem"), "--tls-certificate and --tls-key go together"),
        (("--tls-ca", "nowhere.pem"), "nowhere.pem cannot be used for TLS: No such"),
    ],
)
def test_a_client_that_is_asked_wrongly_connects_to_nobody(
    flags: tuple[str, ...], complaint: str
) -> None:
    done = chatcore("client", *flags)

    assert done.status == 2
    assert done.errors.startswith("chatcore: [701] ")
    assert complaint in done.errors
