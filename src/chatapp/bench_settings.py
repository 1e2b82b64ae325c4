"""What can be set in ``bench``; see ``command_settings``."""

from dataclasses import dataclass
from typing import Final, Literal

from chatapp.errors import SettingWrong
from chatapp.settings import setting
from chatcore.limits import Limits

_SMALLEST_BODY: Final = 12
"""Each message begins with its number, by which it is accounted for."""
_LARGEST_BODY: Final = Limits().body_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchSettings:
    """Settings of ``chatcore bench``."""

    quick: bool = setting(
        default=False, help="a look in under two minutes, which is no result"
    )
    full: bool = setting(
        default=False,
        help="more rounds, rates, sizes and stores, for up to 90 minutes; without "
        "either it takes up to 30",
    )
    concurrency: bool = setting(
        default=False,
        help="from one message under way to 512: what each costs a server, in half an "
        "hour; with --peers as ratios to Mosquitto, with --quick a look in minutes",
    )
    out: str = setting(
        "bench-results",
        help="the folder to write results.json and report.html to",
        metavar="DIR",
    )
    rounds: int = setting(
        0, help="run each cell so often, and not as often as planned", metavar="N"
    )
    transport: str = setting(
        "all",
        help="only these transports: tcp, websocket, grpc, with commas between",
        metavar="NAMES",
    )
    store: str = setting(
        "all",
        help="only these stores: memory, sqlite, or a URL with {folder} in it",
        metavar="NAMES",
    )
    plugin: str = setting(
        "",
        help="a Python file that brings a store, for a URL of its scheme in --store",
        metavar="FILE.py",
    )
    workload: str = setting(
        "all",
        help="only these workloads, by name (rtt, throughput, rate, offline, logins, "
        "list, idle, replay) or by label (throughput-8x16)",
        metavar="NAMES",
    )
    codec: str = setting(
        "all",
        help="only these codecs, where a transport has more than one: protobuf, json, "
        "msgpack",
        metavar="NAMES",
    )
    pairs: int = setting(
        0,
        help="ask about traffic of your own: so many senders, each with a recipient "
        "of its own (8), on each transport and store; about a minute for each",
        metavar="N",
    )
    in_flight: int = setting(
        0,
        help="your own: messages that a pair keeps under way (16)",
        metavar="N",
    )
    body: str = setting(
        "", help="your own: bytes of a message, or several sizes (64)", metavar="BYTES"
    )
    rate: int = setting(
        0,
        help="your own: messages a second of all pairs, sent when they are due and not "
        "when the server is ready",
        metavar="N",
    )
    warm_up: float = setting(
        0.0, help="seconds before anything is measured in a round", metavar="S"
    )
    measure: float = setting(
        0.0, help="seconds that are measured in a round", metavar="S"
    )
    seed: int = setting(
        0, help="draw the orders from this; without, from chance", metavar="N"
    )
    json: bool = setting(
        default=False, help="print results.json instead of tables", here_only=True
    )
    peers: bool = setting(
        default=False, help="others' servers too: those that are installed"
    )
    compare: str = setting(
        "",
        help="run nothing; say what changed beyond noise from these results.json to "
        "those of a second file, which follows",
        metavar="OLD",
    )
    new: str = setting(
        "", help="with --compare: the second file", metavar="NEW", word="optional"
    )

    against: str = setting(
        "",
        help="measure the server of this tree beside that of a commit, under a few "
        "loads, in under ten minutes",
        metavar="COMMIT",
    )
    fail_on: Literal["nothing", "worse"] = setting(
        "nothing",
        help="with --against: end with 1 when this tree's server is found worse",
    )

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        if self.against and (
            self.quick or self.full or self.concurrency or self.peers or self.compare
        ):
            raise SettingWrong(
                "--against has a plan of its own: without --quick, --full, "
                "--concurrency, --peers and --compare."
            )
        if self.fail_on != "nothing" and not self.against:
            raise SettingWrong("--fail-on is for --against COMMIT.")
        if self.quick and self.full:
            raise SettingWrong("--quick and --full are two plans: choose one.")
        if self.full and self.concurrency:
            raise SettingWrong("--full and --concurrency are two plans: choose one.")
        if self.rounds < 0 or self.seed < 0:
            raise SettingWrong("--rounds and --seed are not below 0.")
        if bool(self.compare) != bool(self.new):
            raise SettingWrong("Comparing takes two: --compare OLD NEW.")
        self._check_own_load()

    def _check_own_load(self) -> None:
        numbers = (self.pairs, self.in_flight, self.rate, self.warm_up, self.measure)
        if min(numbers) < 0:
            raise SettingWrong(
                "--pairs, --in-flight, --rate, --warm-up and --measure are not below 0."
            )
        if not all(it.isdecimal() for it in self._sizes):
            raise SettingWrong("--body is a number of bytes, or several: 64,300,4000.")
        if any(not _SMALLEST_BODY <= it <= _LARGEST_BODY for it in self.body_bytes):
            raise SettingWrong(
                f"--body has {_SMALLEST_BODY} to {_LARGEST_BODY} bytes: each message "
                "is numbered, and a server takes no larger ones."
            )
        if self.in_flight and self.rate:
            raise SettingWrong(
                "--in-flight waits for what is under way, --rate does not: choose one."
            )
        if self.asks_of_own_load and (
            self.quick
            or self.full
            or self.concurrency
            or self.against
            or self.compare
            or self.workload != "all"
        ):
            raise SettingWrong(
                "--pairs, --in-flight, --body and --rate are a load of your own: "
                "without --quick, --full, --concurrency, --workload, --against and "
                "--compare."
            )

    @property
    def asks_of_own_load(self) -> bool:
        """Whether it is about traffic that the flags describe, and not about a plan."""
        return bool(self.pairs or self.in_flight or self.body or self.rate)

    @property
    def _sizes(self) -> list[str]:
        return [it.strip() for it in self.body.split(",")] if self.body else []

    @property
    def body_bytes(self) -> tuple[int, ...]:
        """The sizes of ``body``, each once."""
        return tuple(dict.fromkeys(int(it) for it in self._sizes))
