"""Mosquitto: MQTT 3.1.1, QoS 1, persistent sessions.

Changed against its defaults: the limits of messages in flight (20) and queued (1,000)
for a client, so that the load fits; Nagle's algorithm is off, as on our transports.
Persistence is on, as Debian sets it: the sessions are in memory, and are written to a
file every 30 minutes and at exit, so a ``PUBACK`` does not mean a file.
"""

import os
import pwd
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from chatbench.peers.program import PeerProgram, answer_of, executable, required

_SETTINGS: Final = """\
listener {port} 127.0.0.1
user {user}
allow_anonymous true
persistence true
persistence_location {folder}/
max_inflight_messages 0
max_queued_messages 0
set_tcp_nodelay true
log_dest stderr
log_type error
log_type warning
"""


def _version() -> str:
    told = answer_of([required("mosquitto"), "-h"])
    found = re.search(r"^mosquitto version (\S+)", told, re.MULTILINE)
    return found[1] if found else "unknown"


def _prepare(folder: Path, port: int) -> Sequence[str]:
    settings = folder / "mosquitto.conf"
    # Started by root it would become a user that cannot write to the folder.
    user = pwd.getpwuid(os.geteuid()).pw_name
    text = _SETTINGS.format(port=port, user=user, folder=folder)
    settings.write_text(text, encoding="utf-8")
    return [required("mosquitto"), "-c", str(settings)]


MOSQUITTO: Final = PeerProgram(
    name="mosquitto",
    transport="mqtt",
    codec="mqtt",
    store="memory",
    acknowledged=True,
    stored=False,
    synced=False,
    how_to_install="apt-get install mosquitto",
    is_installed=lambda: executable("mosquitto") is not None,
    version=_version,
    prepare=_prepare,
)
