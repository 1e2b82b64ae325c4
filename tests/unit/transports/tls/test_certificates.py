"""Who is trusted, at either end, and what is said of those who are not."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.certificates import Authority, make_authority
from tests.unit.transports.tls.servers import PASSWORD, each_scheme, serving
from transports import connect
from transports.certificates import ServerCertificate, client_context
from transports.errors import BadUrl, CannotConnect
from transports.tls import CertificateUnusable, ClientTls, ServerTls


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return make_authority(tmp_path)


@pytest.fixture
def stranger(tmp_path: Path) -> Authority:
    """An authority that nobody trusts."""
    (tmp_path / "stranger").mkdir()
    return make_authority(tmp_path / "stranger")


async def refusal(url: str, tls: ClientTls) -> str:
    """Why a client cannot connect."""
    with pytest.raises(CannotConnect) as refused:
        async with connect(url, tls=tls, reconnect=None):
            pass
    return refused.value.reason


@each_scheme
async def test_a_server_of_an_authority_that_is_not_trusted_is_not_talked_to(
    scheme: str, authority: Authority, stranger: Authority
) -> None:
    async with serving(scheme, authority.server()) as url:
        by_the_system = await refusal(url, ClientTls())
        by_a_file = await refusal(url, ClientTls(ca=stranger.path))

    told = "its certificate is not accepted: unable to get local issuer certificate"
    assert by_the_system == told
    assert by_a_file == told


@each_scheme
async def test_a_certificate_for_another_host_is_not_accepted(
    scheme: str, authority: Authority
) -> None:
    tls = authority.server("other", "chat.example")
    async with serving(scheme, tls) as url:
        reason = await refusal(url, ClientTls(ca=authority.path))

    assert "its certificate is not accepted: IP address mismatch" in reason


@each_scheme
async def test_a_server_may_want_a_certificate_of_each_client(
    scheme: str, authority: Authority, stranger: Authority
) -> None:
    tls = replace(authority.server(), client_ca=authority.path)
    trusting = ClientTls(ca=authority.path)
    certificate, key = authority.issue("client", "ada@chat.example")
    other_certificate, other_key = stranger.issue("client", "eve@chat.example")
    async with serving(scheme, tls) as url:
        without = await refusal(url, trusting)
        of_others = await refusal(
            url, replace(trusting, certificate=other_certificate, key=other_key)
        )
        right = replace(trusting, certificate=certificate, key=key)
        async with connect(url, tls=right) as ada:
            await ada.login("ada", PASSWORD, create=True)
            names = [it.username async for it in ada.list()]

    # gRPC's server ends such a connection without a word.
    assert without.endswith("it wants a client's certificate")
    assert of_others.endswith("it does not accept this client's certificate")
    assert names == ["ada"]


@pytest.mark.parametrize("scheme", ["tcp", "ws", "grpc"])
async def test_a_plain_client_is_told_that_the_port_speaks_tls(
    scheme: str, authority: Authority
) -> None:
    async with serving(f"{scheme}s", authority.server()) as url:
        reason = await refusal(url.replace(f"{scheme}s:", f"{scheme}:"), ClientTls())

    assert reason.startswith("this port speaks ")
    assert reason.endswith(" with TLS")


@pytest.mark.parametrize("scheme", ["tcp", "ws", "grpc"])
async def test_a_client_with_tls_is_told_that_the_port_speaks_none(
    scheme: str, authority: Authority
) -> None:
    async with serving(scheme, authority.server()) as url:
        reason = await refusal(url.replace(f"{scheme}:", f"{scheme}s:"), ClientTls())

    assert reason.startswith("this port speaks ")
    assert reason.endswith(" without TLS")


@each_scheme
async def test_a_url_with_tls_is_not_served_without_a_certificate(scheme: str) -> None:
    with pytest.raises(BadUrl, match="tls=ServerTls"):
        async with serving(scheme, tls=None):
            pass


async def test_files_that_cannot_be_used_are_named_with_the_reason(
    authority: Authority, tmp_path: Path
) -> None:
    certificate, key = authority.issue("server")
    _, other_key = authority.issue("other")
    empty = tmp_path / "empty.pem"
    empty.write_bytes(b"")
    wrong = [
        (ServerTls(certificate=certificate, key=other_key), "it is not the key of"),
        (ServerTls(certificate=str(empty), key=key), "no certificate and key in PEM"),
        (ServerTls(certificate="nowhere.pem", key=key), "No such file"),
        (
            ServerTls(certificate=certificate, key=key, client_ca=str(empty)),
            "holds no certificate",
        ),
    ]

    for tls, reason in wrong:
        with pytest.raises(CertificateUnusable, match=reason):
            ServerCertificate(tls)
    with pytest.raises(CertificateUnusable, match="holds no certificate"):
        client_context(ClientTls(ca=str(empty)))
    with pytest.raises(CertificateUnusable, match="go together"):
        ClientTls(certificate=certificate)


async def test_a_client_whose_files_cannot_be_used_dials_nobody() -> None:
    with pytest.raises(CertificateUnusable, match=r"nowhere\.pem"):
        async with connect("tcps://127.0.0.1:1", tls=ClientTls(ca="nowhere.pem")):
            pass
