"""``serve --webhook``: who sends webhooks, made of the settings."""

import logging
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from chatapp.command_settings import ServeSettings
from chatapp.errors import SettingWrong
from chatwebhooks.errors import BadWebhookSecret
from chatwebhooks.secrets import parse_webhook_secrets
from chatwebhooks.settings import WebhookSettings
from chatwebhooks.targets import is_in_the_clear, told_target

if TYPE_CHECKING:
    from chatwebhooks.sender import HttpWebhooks

_log = logging.getLogger(__name__)


def make_webhooks(settings: ServeSettings) -> "HttpWebhooks | None":
    """Who sends webhooks; None where no URL was given.

    Raises:
        SettingWrong: the secret cannot be read, or is none.
    """
    if not settings.webhook:
        return None
    # It takes long to import, and the extra has to be installed.
    from chatwebhooks.sender import HttpWebhooks  # noqa: PLC0415  # as above

    path = Path(settings.webhook_secret_file)
    try:
        secrets = parse_webhook_secrets(path.read_text(encoding="ascii"))
        is_open = os.name == "posix" and path.stat().st_mode & (
            stat.S_IRWXG | stat.S_IRWXO
        )
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no ASCII text"
        raise SettingWrong(f"--webhook-secret-file {path}: {reason}.") from error
    except BadWebhookSecret as error:
        raise SettingWrong(f"--webhook-secret-file {path}: {error}.") from error
    if is_open:
        _log.warning("%s can be read by others: chmod 600 it", path)
    for url in settings.webhook:
        if is_in_the_clear(url):
            _log.warning(
                "Webhooks to %s can be read on the way: https:// cannot",
                told_target(url),
            )
    return HttpWebhooks(
        settings.webhook,
        secrets=secrets,
        with_body=settings.webhook_body,
        retry_failed=settings.webhook_retry_failed,
        settings=WebhookSettings(
            attempts=settings.webhook_attempts,
            at_once=settings.webhook_at_once,
            within_s=settings.webhook_within_s,
        ),
    )
