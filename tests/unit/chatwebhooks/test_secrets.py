"""Secrets and signatures are those of Standard Webhooks 1.0."""

from base64 import b64encode

import pytest

from chatcore import BadWebhookSecret, BadWebhookTarget
from chatwebhooks.secrets import parse_webhook_secrets, signatures
from chatwebhooks.targets import check_target, is_in_the_clear, told_target
from tests.webhook_receiver import SECRET, sign

OTHER = "whsec_" + b64encode(bytes(range(32))).decode()


def test_a_signature_is_that_of_the_standard() -> None:
    # The example that the libraries of Standard Webhooks are tested with.
    name, body = "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}'

    made = signatures(parse_webhook_secrets(SECRET), name, 1614265330, body)

    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert sign(SECRET, name, "1614265330", body) == made


def test_each_secret_signs_while_one_replaces_another() -> None:
    secrets = parse_webhook_secrets(f"\n{SECRET}\n  {OTHER}  \n")

    made = signatures(secrets, "a", 1, b"{}")

    assert made.split(" ") == [sign(it, "a", "1", b"{}") for it in (SECRET, OTHER)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "there is none in it"),
        ("\n  \n", "there is none in it"),
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "line 1 does not begin with whsec_"),
        (f"{SECRET}\nwhsec_!", "line 2 is no base64"),
        ("whsec_c2hvcnQ=", "line 1 has 5 bytes, not 24 to 64"),
        ("whsec_" + b64encode(bytes(65)).decode(), "line 1 has 65 bytes, not 24 to 64"),
    ],
)
def test_what_is_no_secret_is_told_without_telling_it(text: str, reason: str) -> None:
    with pytest.raises(BadWebhookSecret) as refused:
        parse_webhook_secrets(text)

    assert str(refused.value) == reason


@pytest.mark.parametrize(
    "url",
    [
        "https://app.example/hooks",
        "https://app.example:8443/a?b=c",
        "http://127.0.0.1:8000",
        "http://[::1]:8000/",
    ],
)
def test_a_target_is_a_url_of_http(url: str) -> None:
    check_target(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "app.example",
        "ftp://app.example",
        "https://",
        "https:///hooks",
        "https://app.example:99999/",
        "https://app.example:0/",
        "https://[::1/",
        "https://app.example/#part",
        "https://app.example/a b",
        "https://app.example/\r\nHost: other",
        "https://bücher.example/",
        "https://user@app.example/",
        "https://user:7411horse@app.example/",
    ],
)
def test_anything_else_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(BadWebhookTarget) as refused:
        check_target(url)

    assert "7411horse" not in str(refused.value)


def test_a_target_is_told_without_what_may_be_secret_in_it() -> None:
    told = told_target("https://app.example:8443/hooks/7411?token=7411")

    assert told == "https://app.example:8443"


@pytest.mark.parametrize(
    ("url", "clear"),
    [
        ("https://app.example", False),
        ("http://localhost:1", False),
        ("http://127.0.0.1:1", False),
        ("http://[::1]:1", False),
        ("http://10.0.0.1:1", True),
        ("http://app.example", True),
    ],
)
def test_only_loopback_needs_no_tls(url: str, *, clear: bool) -> None:
    assert is_in_the_clear(url) is clear
