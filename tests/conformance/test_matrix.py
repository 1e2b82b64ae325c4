"""Which cells a test runs over, where it does not run over all."""

from itertools import product

from tests.conformance.matrix import STORES, TRANSPORTS, Matrix

NAMES = [f"test_{number}" for number in range(200)]


def test_each_test_meets_each_transport_once_and_each_codec_and_store() -> None:
    matrix = Matrix(TRANSPORTS, list(STORES))

    for name in NAMES:
        chosen = matrix.chosen_for(name)

        assert [it.transport for it in chosen] == list(TRANSPORTS)
        assert {it.codec for it in chosen} == {"protobuf", "json", "msgpack"}
        assert {it.store for it in chosen} == set(STORES)


def test_all_tests_together_meet_each_cell_and_each_pair_of_codec_and_store() -> None:
    matrix = Matrix(TRANSPORTS, list(STORES))

    met = {it for name in NAMES for it in matrix.chosen_for(name)}

    assert met == set(matrix.cells)
    assert {(it.codec, it.store) for it in met} == set(
        product(("protobuf", "json", "msgpack"), STORES)
    )
