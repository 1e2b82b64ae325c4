"""Prosody: as Debian sets it, but open to a load.

Changed against Debian's ``prosody.cfg.lua``: it listens on the loopback address alone;
no TLS, so the password comes in the clear; ``limits`` (10 kB/s a session) is left out;
accounts can be made over the stream, and keep their passwords plain (logins are not
measured); no connections to other servers, no administration. Nagle's algorithm, on by
default, is off, as on our transports. The archive (``mam``) is off, as by default.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from chatbench.peers.program import PeerProgram, answer_of, executable, required

_MODULES: Final = (
    "disco",
    "roster",
    "saslauth",
    "blocklist",
    "bookmarks",
    "carbons",
    "pep",
    "private",
    "smacks",
    "vcard4",
    "vcard_legacy",
    "csi_simple",
    "ping",
    "register",
    "time",
    "uptime",
    "version",
)
_SETTINGS: Final = """\
modules_enabled = {{ {modules} }}
modules_disabled = {{ "s2s", "tls" }}
run_as_root = {is_root}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
c2s_direct_tls_ports = {{}}
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
allow_registration = true
network_settings = {{ nagle = false }}
authentication = "internal_plain"
data_path = "{folder}"
pidfile = "{folder}/prosody.pid"
certificates = "{folder}"
log = {{ warn = "{folder}/prosody.log" }}
VirtualHost "localhost"
"""


def _version() -> str:
    found = re.search(
        r"^Prosody (\S+)$",
        answer_of([required("prosodyctl"), "about"]),
        re.MULTILINE,
    )
    return found[1] if found else "unknown"


def _prepare(folder: Path, port: int) -> Sequence[str]:
    settings = folder / "prosody.cfg.lua"
    text = _SETTINGS.format(
        modules=", ".join(f'"{module}"' for module in _MODULES),
        is_root="true" if os.geteuid() == 0 else "false",
        port=port,
        folder=folder,
    )
    settings.write_text(text, encoding="utf-8")
    return [required("prosody"), "-F", "--config", str(settings)]


PROSODY: Final = PeerProgram(
    name="prosody",
    transport="xmpp",
    codec="xml",
    store="memory",
    acknowledged=True,
    stored=False,
    synced=False,
    how_to_install="apt-get install prosody",
    is_installed=lambda: executable("prosody") is not None,
    version=_version,
    prepare=_prepare,
)
