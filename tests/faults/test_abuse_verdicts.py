"""What makes an attack fail, and when the machine was too busy to tell."""

from tests.faults.abuse.bystander import Seen
from tests.faults.abuse.catalogue import ATTACKS
from tests.faults.abuse.outcomes import Outcome


def outcome(**figures: float) -> Outcome:
    """An attack that was held, but for these figures."""
    one = Outcome(attack="any", transport="tcp", loop="asyncio", attack_s=10.0)
    for name, figure in figures.items():
        setattr(one, name, figure)
    one.judge()
    return one


def test_an_attack_is_held_below_both_bounds() -> None:
    assert outcome(peak_mib=199.0, worst_ms=99.0).passed


def test_too_much_memory_fails() -> None:
    assert not outcome(peak_mib=200.0, worst_ms=1.0).passed


def test_too_long_a_wait_fails() -> None:
    assert not outcome(peak_mib=50.0, worst_ms=100.0).passed


def test_a_wait_is_doubtful_where_nobody_was_attacked_and_waited_as_well() -> None:
    assert outcome(worst_ms=120.0, control_ms=90.0).is_doubtful
    assert not outcome(worst_ms=120.0, control_ms=10.0).is_doubtful


def test_a_wait_is_doubtful_where_the_server_had_no_processor() -> None:
    assert outcome(worst_ms=120.0, starved_s=2.0).is_doubtful
    assert not outcome(worst_ms=120.0, starved_s=0.5).is_doubtful


def test_memory_is_never_doubtful() -> None:
    assert not outcome(peak_mib=300.0, worst_ms=120.0, control_ms=110.0).is_doubtful


def test_the_worst_round_trip_is_of_those_under_way_in_the_time_asked_for() -> None:
    seen = Seen(
        began_s=[1.0, 5.0, 9.0],
        receipt_s=[0.5, 0.1, 0.3],
        delivery_s=[0.4, 0.2, 0.1],
    )

    assert seen.worst_s(0.0, 2.0) == 0.5
    assert seen.worst_s(5.1, 6.0) == 0.2  # it began before, and was not back yet
    assert seen.worst_s(2.0, 4.0) == 0.0


def test_no_two_attacks_have_one_name() -> None:
    names = [attack.name for attack in ATTACKS]

    assert sorted(set(names)) == sorted(names)
