"""A certificate that is renewed while a server serves."""

import asyncio
import logging
from contextlib import AsyncExitStack
from pathlib import Path
from shutil import copyfile

import pytest
from cryptography.hazmat.primitives import serialization

from tests.certificates import Authority, make_authority
from tests.unit.transports.tls.servers import (
    PASSWORD,
    certificate_of,
    each_scheme,
    serving,
)
from transports import LinkDown, LinkEvent, connect
from transports.certificates import ServerCertificate
from transports.tls import CertificateUnusable, ClientTls, ServerTls

SESSIONS = 100


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return make_authority(tmp_path)


async def until_shown(url: str, *, other_than: bytes) -> None:
    """Return once the next who connects is shown another certificate."""
    async with asyncio.timeout(10):
        while await certificate_of(url) == other_than:
            pass


@each_scheme
async def test_the_next_connection_gets_the_new_certificate_and_nobody_is_dropped(
    scheme: str, authority: Authority
) -> None:
    tls, lost = ClientTls(ca=authority.path), []
    # Each of them has two connections, of which one is as good as many.
    sessions = SESSIONS // 5 if scheme == "https" else SESSIONS

    def note(event: LinkEvent) -> None:
        if isinstance(event, LinkDown):
            lost.append(event)

    async with serving(scheme, authority.server()) as url, AsyncExitStack() as opened:
        old = await certificate_of(url)
        names, clients = [f"user{number}" for number in range(sessions)], []
        for name in names:
            client = await opened.enter_async_context(
                connect(url, tls=tls, on_link=note)
            )
            # At once: a link that nobody logs in on has its time too.
            await client.login(name, PASSWORD, create=True)
            clients.append(client)

        authority.issue("server")
        await until_shown(url, other_than=old)

        async with connect(url, tls=tls) as later:
            await later.login("later", PASSWORD, create=True)
            for name in names:
                await later.send(name, "still there?")
        for client in clients:
            message = await anext(aiter(client.messages()))
            assert message.body == "still there?"
        assert lost == []


@each_scheme
async def test_a_pair_that_does_not_match_is_told_and_the_old_one_stays(
    scheme: str, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    certificate = ServerCertificate(authority.server())
    _, other_key = authority.issue("other")
    caplog.set_level(logging.WARNING)
    async with serving(scheme, certificate) as url:
        old = await certificate_of(url)
        copyfile(other_key, certificate.tls.key)

        certificate.reload()
        async with connect(url, tls=ClientTls(ca=authority.path)) as client:
            await client.login("ada", PASSWORD, create=True)
        shown = await certificate_of(url)
        authority.issue("server")
        await until_shown(url, other_than=old)

    assert shown == old
    assert "The certificate in use stays" in caplog.text
    assert "is not the key of" in caplog.text


def test_a_file_that_is_missing_for_a_while_does_no_harm(authority: Authority) -> None:
    certificate = ServerCertificate(authority.server())
    pem, context = certificate.pem, certificate.context()
    Path(certificate.tls.certificate).unlink()

    certificate.reload_if_changed()
    same = certificate.pem is pem and certificate.context() is context
    authority.issue("server")
    certificate.reload_if_changed()

    assert same
    assert certificate.pem != pem
    assert certificate.context() is not context


def test_files_that_stay_are_not_read_again(authority: Authority) -> None:
    certificate = ServerCertificate(authority.server())
    pem = certificate.pem

    certificate.reload_if_changed()

    assert certificate.pem is pem


def test_a_renewal_reaches_contexts_of_each_protocol(authority: Authority) -> None:
    certificate = ServerCertificate(authority.server())
    plain, http = certificate.context(), certificate.context("http/1.1")

    certificate.reload()

    assert certificate.context("http/1.1") is certificate.context("http/1.1")
    assert certificate.context() is not plain
    assert certificate.context("http/1.1") is not http


def test_a_key_with_a_passphrase_is_refused_without_asking(
    authority: Authority, tmp_path: Path
) -> None:
    certificate, key = authority.issue("server")
    loaded = serialization.load_pem_private_key(Path(key).read_bytes(), None)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        loaded.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )

    with pytest.raises(CertificateUnusable, match="it has a passphrase"):
        ServerCertificate(ServerTls(certificate=certificate, key=str(locked)))
