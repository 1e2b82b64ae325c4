"""ejabberd: as Debian sets it, and the same without the busy waiting of its schedulers.

Its settings are those of Debian's ``ejabberd.yml`` with these changes: one listener, on
the loopback address, without TLS and without the shaper (3,000 bytes/s); accounts can
be made over the stream, at any rate, and keep their passwords plain (logins are not
measured); rooms and services with ports of their own (HTTP, STUN, MQTT, other servers)
are left out. The modules that a message between two users passes are all there. Nothing
is archived by default.

``erl`` is started without ``ejabberdctl``, which changes the user, and with the options
that ``ejabberdctl`` gives it, less the distribution, which needs a daemon that would be
left behind. It becomes ``beam.smp`` under the same pid. Pinned to a core, it has one
scheduler online by itself, so ``+S`` is not needed.

With the default, an idle scheduler spins for a while before it sleeps, which counts as
CPU time and shortens waking; ``+sbwt none`` and its siblings turn that off.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from chatbench.peers.program import (
    PeerProgram,
    Unavailable,
    answer_of,
    executable,
    required,
)

_SETTINGS: Final = """\
loglevel: warning
hosts:
  - localhost
listen:
  -
    port: {port}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    max_stanza_size: 262144
    access: c2s
    starttls: false
disable_sasl_mechanisms:
  - "digest-md5"
  - "X-OAUTH2"
auth_password_format: plain
registration_timeout: infinity
acl:
  local:
    user_regexp: ""
  loopback:
    ip:
      - 127.0.0.0/8
access_rules:
  local:
    allow: local
  c2s:
    deny: blocked
    allow: all
  pubsub_createnode:
    allow: local
  register:
    allow: all
shaper_rules:
  max_user_sessions: 10
  max_user_offline_messages: 100
modules:
  mod_adhoc: {{}}
  mod_avatar: {{}}
  mod_blocking: {{}}
  mod_caps: {{}}
  mod_carboncopy: {{}}
  mod_client_state: {{}}
  mod_configure: {{}}
  mod_disco: {{}}
  mod_fail2ban: {{}}
  mod_last: {{}}
  mod_offline:
    access_max_user_messages: max_user_offline_messages
  mod_ping: {{}}
  mod_pres_counter:
    count: 5
    interval: 60
  mod_privacy: {{}}
  mod_private: {{}}
  mod_pubsub:
    access_createnode: pubsub_createnode
    plugins:
      - flat
      - pep
  mod_push: {{}}
  mod_push_keepalive: {{}}
  mod_register:
    access: register
  mod_roster:
    versioning: true
  mod_shared_roster: {{}}
  mod_sic: {{}}
  mod_stream_mgmt:
    resend_on_timeout: if_offline
  mod_vcard:
    search: false
  mod_vcard_xupdate: {{}}
  mod_version: {{}}
"""
_WITHOUT_BUSY_WAITING: Final = (
    "+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none",
)  # fmt: skip
_LIMITS: Final = ("+K", "true", "+P", "250000")
_TELL_VERSION: Final = (
    "application:load(ejabberd), {ok, V} = application:get_key(ejabberd, vsn), "
    'io:format("version ~s~n", [V]), halt().'
)


def _is_installed() -> bool:
    return executable("ejabberdctl") is not None and executable("erl") is not None


def _libraries() -> str:
    """Where the control script says that ejabberd's Erlang libraries are."""
    script = Path(required("ejabberdctl")).read_text(encoding="utf-8")
    found = re.search(r"^ERL_LIBS='?([^'\n]+)'?$", script, re.MULTILINE)
    if found is None:
        raise Unavailable("ejabberdctl does not say where ejabberd's libraries are.")
    return found[1]


def _erl(*settings: str) -> list[str]:
    """``erl`` with these in its environment; ``env`` becomes it, under one pid."""
    return [required("env"), f"ERL_LIBS={_libraries()}", *settings, required("erl")]


def _version() -> str:
    told = answer_of([*_erl(), "-noinput", "-eval", _TELL_VERSION])
    found = re.search(r"^version (\S+)", told, re.MULTILINE)
    return found[1] if found else "unknown"


def _started_with(*options: str) -> Callable[[Path, int], Sequence[str]]:
    def prepare(folder: Path, port: int) -> Sequence[str]:
        settings = folder / "ejabberd.yml"
        settings.write_text(_SETTINGS.format(port=port), encoding="utf-8")
        command = _erl(
            f"HOME={folder}",
            f"EJABBERD_CONFIG_PATH={settings}",
            f"EJABBERD_LOG_PATH={folder / 'ejabberd.log'}",
            f"ERL_CRASH_DUMP={folder / 'crash.dump'}",
            "ERL_MAX_PORTS=32000",
        )
        database = str(folder / "mnesia").replace('"', '\\"')
        command += [*_LIMITS, *options, "-noinput"]
        command += ["-mnesia", "dir", f'"{database}"', "-s", "ejabberd"]
        return command

    return prepare


def _program(name: str, *options: str) -> PeerProgram:
    return PeerProgram(
        name=name,
        transport="xmpp",
        codec="xml",
        store="memory",
        acknowledged=True,
        stored=False,
        synced=False,
        how_to_install="apt-get install ejabberd",
        is_installed=_is_installed,
        version=_version,
        prepare=_started_with(*options),
    )


EJABBERD: Final = _program("ejabberd")
EJABBERD_WITHOUT_BUSY_WAITING: Final = _program(
    "ejabberd-no-busy-wait", *_WITHOUT_BUSY_WAITING
)
