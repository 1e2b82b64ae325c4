"""An issuer of tokens: its keys, what it publishes of them, and where."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from chatcore.claims import Claim, ClaimPurpose

ISSUER = "https://issuer.example"
AUDIENCE = "chat"
FAR_S = 4_000_000_000
CLAIMS = {"sub": "ada", "iss": ISSUER, "aud": AUDIENCE, "exp": FAR_S}


class Issuer:
    """Signs tokens with a key, and publishes it under an id."""

    def __init__(self, key_id: str = "1") -> None:
        self.key_id = key_id
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def sign(self, *, algorithm: str = "RS256", **changed: Any) -> str:
        """A token; with ``headers``, and other keywords as claims (None: left out)."""
        headers = {"kid": self.key_id, **changed.pop("headers", {})}
        claims = {k: v for k, v in {**CLAIMS, **changed}.items() if v is not None}
        headers = {k: v for k, v in headers.items() if v is not None}
        return jwt.encode(claims, self.key, algorithm=algorithm, headers=headers)

    @property
    def public_pem(self) -> bytes:
        """The public key, as everybody may have it."""
        public = self.key.public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def jwk(self, **changed: object) -> dict[str, object]:
        """The public key as it is published."""
        made = RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {**made, "kid": self.key_id, "use": "sig", **changed}


def elliptic_jwk(
    key: ec.EllipticCurvePrivateKey, **changed: object
) -> dict[str, object]:
    """A key on a curve, as it is published."""
    return {**ECAlgorithm.to_jwk(key.public_key(), as_dict=True), **changed}


def key_set(*jwks: Mapping[str, object]) -> bytes:
    """What is published."""
    return json.dumps({"keys": jwks}).encode()


def claim(proof: str, username: str = "") -> Claim:
    """Somebody who shows a proof."""
    return Claim(proof=proof, username=username, purpose=ClaimPurpose.LOGIN)


class Published:
    """What a server of keys answers; ``asked`` counts how often it was.

    ``free`` is set unless a test holds the answers up.
    """

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.status = 200
        self.location = ""
        self.asked = 0
        self.free = threading.Event()
        self.free.set()


@contextmanager
def publishing(published: Published) -> Iterator[str]:
    """A server of keys on a real socket while the block runs; its URL."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            published.asked += 1
            published.free.wait()
            self.send_response(published.status)
            if published.location:
                self.send_header("Location", published.location)
            self.send_header("Content-Length", str(len(published.body)))
            self.end_headers()
            self.wfile.write(published.body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/keys"
        finally:
            published.free.set()
            server.shutdown()
            thread.join()
