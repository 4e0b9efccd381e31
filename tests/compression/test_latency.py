"""benchmarks/latency.py and benchmarks/start.py: what their figures are made of."""

import pytest

from benchmarks import latency, start
from convatlas.registry import stored_facts
from convatlas.timing import Timing


def timed(**medians: float) -> dict:
    return {
        way.replace("_", "-"): {"median": value, "low": value, "high": value + 0.5, "rounds": 5}
        for way, value in medians.items()
    }


ROW = {
    "network": "resnet18",
    "theirs": "torchvision resnet18",
    "chosen": {"f32": "onnxruntime, 2.0 ms a picture", "bf16": "openvino-bf16, 1.0 ms a picture"},
    "ms": timed(
        eager=8,
        chosen_f32=2,
        chosen_bf16=1,
        hand_onnxruntime_f32=1.9,
        hand_openvino_f32=3,
        hand_openvino_bf16=1.5,
    ),
    "refused": {},
}


def test_gains_are_over_the_other_library_and_the_best_by_hand():
    assert latency.gains(ROW) == {"f32": 4, "bf16": 8}
    assert latency.beside_hand(ROW) == {"f32": 0.95, "bf16": 1.5}


def test_bfloat16_is_held_against_float32_by_hand_too():
    row = ROW | {"ms": ROW["ms"] | timed(hand_onnxruntime_f32=0.5)}
    assert latency.beside_hand(row) == {"f32": 0.25, "bf16": 0.5}


def test_a_line_of_the_page():
    assert latency.line(ROW) == (
        "| resnet18 | torchvision resnet18 | 8.00 (8.00-8.50) | onnxruntime 2.00 (2.00-2.50) "
        "| 4.00 | 0.95 | openvino-bf16 1.00 (1.00-1.50) | 8.00 | 1.50 |"
    )
    assert latency.table([ROW, ROW]).endswith("Geometric means of the gains: f32 4.00, bf16 8.00.")


def test_what_was_refused_is_no_gain():
    ms = {way: found for way, found in ROW["ms"].items() if way != "chosen-bf16"}
    row = ROW | {"ms": ms, "refused": {"chosen-bf16": "error 2.0e-01 > 1e-01"}}
    assert latency.gains(row) == {"f32": 4}
    assert "| error 2.0e-01 > 1e-01 |" in latency.line(row)
    assert latency.table([ROW, row]).endswith("Geometric means of the gains: f32 4.00.")


def test_every_network_is_in_the_atlas():
    assert len(latency.NETWORKS) == 12
    assert {*latency.NETWORKS} <= {*stored_facts()}


@pytest.mark.parametrize(
    ("exported", "run", "holds"),
    [(0.5, 2.2, [True, True]), (0.51, 2.2, [False, True]), (0.4, 2.21, [True, False])],
)
def test_the_limits_of_the_start(exported, run, holds):
    found = {
        name: Timing(value, value, value, value, 9)
        for name, value in (("exported", exported), ("run", run), ("torch and loading", 2.0))
    }
    assert [right for _, right in start.verdicts(found)] == holds
