"""What codecs and stores cost by themselves is measured for each that there is."""

from pathlib import Path

from chatbench.micro import codec_costs, store_costs
from transports.codec import CODECS


def test_every_codec_is_measured_each_way_at_both_ends() -> None:
    costs = codec_costs(batch=16, repeats=1)

    assert tuple(costs) == CODECS
    for each in costs.values():
        assert list(each) == [
            "encode_send",
            "decode_send",
            "encode_delivered",
            "decode_delivered",
        ]
        assert all(cost_us > 0 for cost_us in each.values())


def test_both_stores_are_measured_with_small_and_large_batches(tmp_path: Path) -> None:
    costs = store_costs(tmp_path)

    assert list(costs) == ["memory", "sqlite"]
    for each in costs.values():
        assert list(each) == ["batch_1", "batch_16", "batch_64"]
        assert all(cost_us > 0 for cost_us in each.values())
    # A disk's commit is paid once for all of a batch.
    assert costs["sqlite"]["batch_64"] < costs["sqlite"]["batch_1"]
    assert list(tmp_path.iterdir()) == []
