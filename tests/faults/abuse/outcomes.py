"""What one attack came to, and what makes it fail."""

from typing import Final

from msgspec import Struct, field

from tests.faults.abuse.targets import Figures

PEAK_MIB: Final = 200.0
"""What a server may have in memory at most (issue: bounded)."""


class Outcome(Struct, kw_only=True):
    """One attack on one transport and event loop.

    Attributes:
        before_mib: resident memory of the server when the attack began.
        peak_mib: the most that was resident from its start to the end.
        after_mib: what was, some time after the attackers had gone.
        baseline_ms: the bystander's worst round trip before the attack began, which is
            what the machine does by itself.
        worst_ms: the worst during the attack, and until the attackers had gone.
        control_ms: the worst meanwhile at a server that nobody attacked.
        allowed_ms: what the bystander's may be.
        tries: how often it was run, since the machine was too busy to tell.
        messages: round trips that the bystander made.
        attack_s: how long the attackers ran.
        server_cpu_s: processor time of the server meanwhile.
        starved_s: how long its event loop wanted a processor meanwhile, and had none.
        log_kib: what the server logged.
        figures: what the attackers saw.
        failures: why it has failed; without any it has passed.
    """

    attack: str
    transport: str
    loop: str
    before_mib: float = 0.0
    peak_mib: float = 0.0
    after_mib: float = 0.0
    baseline_ms: float = 0.0
    worst_ms: float = 0.0
    control_ms: float = 0.0
    allowed_ms: float = 100.0
    tries: int = 1
    messages: int = 0
    attack_s: float = 0.0
    server_cpu_s: float = 0.0
    starved_s: float = 0.0
    log_kib: float = 0.0
    figures: Figures = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether the server has kept its bounds."""
        return not self.failures

    @property
    def is_doubtful(self) -> bool:
        """Whether nothing speaks against the server but a wait that may be the
        machine's: one at a server without attackers was long as well, or the attacked
        one had no processor for a tenth of the time.
        """
        is_alone = self.is_late and len(self.failures) == 1
        return is_alone and (
            self.control_ms > self.worst_ms / 3 or self.starved_s > self.attack_s / 10
        )

    @property
    def is_late(self) -> bool:
        """Whether the bystander waited too long."""
        return self.worst_ms >= self.allowed_ms

    def judge(self) -> None:
        """Note what the figures say against the server."""
        if self.peak_mib >= PEAK_MIB:
            self.failures.append(
                f"The server had {self.peak_mib:.0f} MiB in memory, "
                f"and {PEAK_MIB:.0f} are allowed."
            )
        if self.is_late:
            self.failures.append(
                f"The bystander waited {self.worst_ms:.0f} ms, "
                f"and {self.allowed_ms:.0f} are allowed."
            )
