"""Which cells a test runs over, where it does not run over all."""

from collections.abc import Mapping
from itertools import product

import pytest

from tests.conformance.matrix import (
    BELOW_ASGI,
    SECURE,
    TRANSPORTS,
    Carried,
    Matrix,
)
from tests.conformance.options import matrix_of
from tests.stores import OURS

NAMES = [f"test_{number}" for number in range(200)]


def test_each_test_meets_each_transport_once_and_each_codec_and_store() -> None:
    matrix = Matrix(TRANSPORTS, OURS)

    for name in NAMES:
        chosen = matrix.chosen_for(name)

        assert [it.transport for it in chosen] == list(TRANSPORTS)
        assert {it.codec for it in chosen} == {"protobuf", "json", "msgpack"}
        assert {it.store for it in chosen} == set(OURS)


def test_all_tests_together_meet_each_cell_and_each_pair_of_codec_and_store() -> None:
    matrix = Matrix(TRANSPORTS, OURS)

    met = {it for name in NAMES for it in matrix.chosen_for(name)}

    assert met == set(matrix.cells)
    assert {(it.codec, it.store) for it in met} == set(
        product(("protobuf", "json", "msgpack"), OURS)
    )


@pytest.mark.parametrize("rare", [SECURE, BELOW_ASGI], ids=["tls", "asgi"])
def test_a_third_of_the_tests_meet_one_rare_cell_and_together_they_meet_each(
    rare: Mapping[str, Carried],
) -> None:
    matrix = Matrix(TRANSPORTS, OURS, rare)

    chosen = [matrix.chosen_for(name)[len(TRANSPORTS) :] for name in NAMES]

    assert {len(it) for it in chosen} == {0, 1}
    assert 0.25 < sum(map(len, chosen)) / len(NAMES) < 0.45
    assert {(cell.transport, cell.store) for it in chosen for cell in it} == set(
        product(rare, OURS)
    )


def test_in_the_whole_matrix_rare_transports_are_as_all_others() -> None:
    matrix = matrix_of("", "", is_whole=True)

    met = {it.transport for it in matrix.cells}

    assert met == {*TRANSPORTS, *SECURE, *BELOW_ASGI}
    assert {it.transport for it in matrix.transports()} == met
