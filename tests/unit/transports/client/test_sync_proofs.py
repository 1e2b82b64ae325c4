"""The client for code that waits shows proofs as the other does."""

import asyncio
import threading

import pytest

from chatcore import (
    Chat,
    InboxAction,
    ProofFailed,
    ProofRefused,
    SharedSecret,
    connect_sync,
    open_store,
    serve,
    sign_proof,
)

SECRET = b"s" * 32


async def test_code_that_waits_shows_proofs_that_a_plain_function_fetches() -> None:
    async with (
        open_store("memory:") as store,
        serve(
            Chat(store, identities=SharedSecret(SECRET)), "tcp://127.0.0.1:0"
        ) as urls,
    ):
        await asyncio.to_thread(use, urls[0])


def use(url: str) -> None:
    """Log in, renew, be refused, and delete the account."""
    called_in: set[str] = set()

    def fetch() -> str:
        called_in.add(threading.current_thread().name)
        return sign_proof(SECRET, "ada", expires_in_s=60)

    with connect_sync(url, proof=fetch) as ada:
        assert ada.login().username == "ada"
        assert 0 < ada.prove() <= 60_000
        with pytest.raises(ProofRefused):
            ada.prove("forged")
        assert ada.send("ada", "still here").position == 1
        receipt = ada.delete("ada", inbox=InboxAction.DISCARD)
    with (
        connect_sync(url, proof=lambda: 1 / 0) as nobody,  # type: ignore[arg-type]  # it fails
        pytest.raises(ProofFailed),
    ):
        nobody.login()

    assert receipt.discarded == 1
    assert "chatcore client" not in called_in
