"""What can be set in ``backup``, ``check`` and ``restore``."""

from dataclasses import dataclass

from chatapp.errors import SettingWrong
from chatapp.settings import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSettings:
    """Settings of ``chatcore backup``."""

    out: str = setting("", help="the copy to make", metavar="OUT.db", word="one")
    store: str = setting("sqlite:///chat.db", help="the store to copy", metavar="URL")
    admin_socket: str = setting(
        "",
        help="have the server make it that has the store: the socket of its "
        "--admin-socket",
        metavar="PATH",
        called="--socket",
    )
    force: bool = setting(
        default=False, help="replace OUT.db if it is there", here_only=True
    )
    json: bool = setting(
        default=False, help="print one JSON object, errors too", here_only=True
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreSettings:
    """Settings of ``chatcore restore``."""

    backup: str = setting("", help="the copy to restore", metavar="BACKUP", word="one")
    store: str = setting(
        "sqlite:///chat.db", help="the store to restore", metavar="URL"
    )
    erasure_log: str = setting(
        "",
        help="erase again whom this log has after the copy was made",
        metavar="PATH",
    )
    without_erasure_log: bool = setting(
        default=False,
        help="restore without the log: who was erased since is there again",
        here_only=True,
    )
    accept_log_gaps: bool = setting(
        default=False,
        help="do what can be read of a log that is damaged or begins too late",
        here_only=True,
    )
    force: bool = setting(
        default=False, help="keep what is there beside, and replace it", here_only=True
    )
    json: bool = setting(
        default=False, help="print one JSON object, errors too", here_only=True
    )

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        if self.accept_log_gaps and not self.erasure_log:
            raise SettingWrong("--accept-log-gaps is for --erasure-log PATH.")
        if self.without_erasure_log and self.accept_log_gaps:
            raise SettingWrong(
                "--without-erasure-log and --accept-log-gaps contradict each other."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSettings:
    """Settings of ``chatcore check``."""

    file: str = setting(
        "", help="the database, which no server has open", metavar="FILE", word="one"
    )
    json: bool = setting(
        default=False, help="print one JSON object a line, errors too", here_only=True
    )
