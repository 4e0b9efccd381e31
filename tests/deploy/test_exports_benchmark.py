"""benchmarks/exports.py: what an engine gets wrong is seen, what weights cannot show is no proof,
and a line counts only for the source that it was measured on.
"""

import json

import numpy as np
import pytest
import torch
import torch.nn as nn

from benchmarks import export_checks, exports, lively_weights
from benchmarks.export_checks import Case, judged, rows
from convatlas.deploy.proof import answers
from convatlas.errors import ExportError
from convatlas.layers.tensorflow import ShiftNorm
from convatlas.registry import stored_facts

NAME = "shufflenet_v1_g1_x0_25"


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    dice = np.random.default_rng(0)
    return [dice.integers(0, 256, (n, 40, 50, 3), np.uint8) for n in (1, 3)]


@pytest.fixture(scope="module")
def case(pictures) -> Case:
    return export_checks.case("squeezenet1_1", pictures)


@pytest.fixture(scope="module")
def line(case) -> dict:
    (row,) = rows(case, ["pt2"])
    return row


def test_a_file_with_the_networks_own_answers_holds(line):
    assert exports.state(line) == "float32" and line["error"] <= 1e-5
    assert line["pictures"] == 4 and line["precision"] == "f32"
    assert exports.said(line).startswith("squeezenet1_1, torch.export: the same: error")


def test_a_layer_that_is_left_out_is_seen(case, monkeypatch):
    def without_a_bias(saved, place):
        bias = next(m for m in saved.net.modules() if isinstance(m, nn.Conv2d)).bias.data
        kept = bias.clone()
        bias.zero_()
        write(saved, place)
        bias.copy_(kept)

    write = export_checks.write_pt2
    monkeypatch.setattr(export_checks, "write_pt2", without_a_bias)
    (row,) = rows(case, ["pt2"])
    assert exports.state(row) == "missed" and row["error"] > 1e-3


def test_a_refusal_is_told_by_name_with_its_reason(case, monkeypatch):
    def refused(saved, place):
        raise ExportError("this engine has no such layer")

    monkeypatch.setattr(export_checks, "write_pt2", refused)
    (row,) = rows(case, ["pt2"])
    assert exports.state(row) == "refused"
    assert exports.said(row).endswith("refused by name: this engine has no such layer")


def test_what_breaks_is_no_refusal(case, monkeypatch):
    monkeypatch.setattr(export_checks, "write_pt2", lambda saved, place: 1 / 0)
    (row,) = rows(case, ["pt2"])
    assert exports.state(row) == "broken" and "ZeroDivisionError" in row["broken"]


def test_the_weights_keep_the_pictures_apart(case):
    found = np.concatenate([answers(case.saved, batch) for batch in case.pictures])
    assert lively_weights.distance(torch.from_numpy(found)) == pytest.approx(case.apart, rel=1e-3)
    assert case.apart >= lively_weights.APART


def test_a_network_that_no_picture_moves_proves_nothing():
    class Mute(nn.Module):
        def forward(self, images):
            return torch.ones(len(images), 10)

    with pytest.raises(ValueError, match="no logit tells two pictures apart"):
        lively_weights.enliven(Mute(), torch.randn(3, 3, 8, 8))


def test_a_norm_may_have_no_scale():
    torch.manual_seed(0)
    norm = ShiftNorm(4, 0.1)
    net = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), norm, nn.Flatten(), nn.Linear(144, 5))
    way, apart = lively_weights.enliven(net, torch.randn(3, 3, 8, 8))
    assert way == "settled" and apart >= lively_weights.APART
    assert 0.5 < float(norm.bias.detach().mean()) < 1.5


@pytest.mark.parametrize(
    ("error", "own", "state"),
    [(9e-6, 0, "float32"), (3e-5, -2e-5, "float64"), (1.1e-5, 0, "missed"), (3e-3, 0, "missed")],
)
def test_float64_decides_where_float32_is_too_far(error, own, state):
    truth = np.eye(4)
    row = judged(truth * (1 + error), truth * (1 + own), lambda: truth)
    assert exports.state(row) == state


def test_rounding_that_decides_everything_proves_nothing():
    truth = np.eye(4)
    with pytest.raises(ValueError, match="rounding decides, nothing is proved"):
        judged(truth * 1.5, truth * 1.2, lambda: truth)


def test_a_class_that_float64_does_not_name_is_wrong():
    truth = np.eye(4)
    assert not judged(truth[::-1], truth, lambda: truth)["holds"]


@pytest.fixture
def ledger(line, tmp_path):
    """A ledger with one line, and a way to change that line."""
    file = tmp_path / "exports.jsonl"
    row = line | {
        "source": export_checks.source("squeezenet1_1"),
        "shared": export_checks.shared_source("pt2"),
        "versions": export_checks.versions("pt2"),
    }

    def written(**changes):
        file.write_text(json.dumps(row | changes) + "\n")
        return exports.stored(file)

    return written


def test_a_line_of_this_source_is_believed_and_left_out(ledger):
    done = ledger()
    assert [*done] == [("squeezenet1_1", "pt2")]
    waiting = exports.waiting(["squeezenet1_1", NAME], done)
    assert waiting == [(NAME, [*exports.CALLED]), ("squeezenet1_1", ["onnx", "openvino"])]
    others = len(stored_facts()) - 1
    assert f"| torch.export | 1 | 0 | 0 | 0 | 0 | {others} |" in exports.counts(done)


@pytest.mark.parametrize("changes", [{"source": "0"}, {"versions": {"torch": "1.0"}}])
def test_a_line_of_another_source_is_not_believed(ledger, changes):
    assert ledger(**changes) == {}


def test_a_line_of_an_earlier_shared_part_is_named_and_measured_again_at_the_end(ledger):
    done = ledger(shared="0")
    assert "1 lines are of an earlier form of the parts" in exports.counts(done)
    every = {("squeezenet1_1", kind): done["squeezenet1_1", "pt2"] for kind in exports.CALLED}
    waiting = exports.waiting(["squeezenet1_1", NAME], every)
    assert [name for name, _ in waiting] == [NAME, "squeezenet1_1"]
    every["squeezenet1_1", "onnx"] = ledger(shared="0", broken="")["squeezenet1_1", "pt2"]
    waiting = exports.waiting(["squeezenet1_1"], every)
    assert waiting == [("squeezenet1_1", ["onnx"])]  # a fault comes first


def test_a_network_rests_on_its_own_file_and_those_it_builds_on():
    files = {file.stem for file in export_checks.nets("resnet_v15")}
    assert files == {"resnet_v15", "resnet"}


@pytest.mark.parametrize(
    ("changed", "own"),
    [
        ("nets/squeezenet.py", True),
        ("index/functions/squeezenet1_1.json", True),
        ("index/layers/squeezenet1_1.json", True),
        ("layers/network.py", False),
        ("deploy/network_graph.py", False),
        ("deploy/openvino_graph.py", False),
    ],
)
def test_what_all_share_makes_no_line_of_a_network_void(changed, own, tmp_path, monkeypatch):
    for room in ("nets", "layers", "deploy", "data", "index/functions", "index/layers"):
        for file in (export_checks.HOUSE / room).iterdir():
            if file.suffix == ".py" or file.stem == "squeezenet1_1":
                (tmp_path / room).mkdir(parents=True, exist_ok=True)
                (tmp_path / room / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(export_checks, "HOUSE", tmp_path)
    before = export_checks.source("squeezenet1_1"), export_checks.shared_source("openvino")
    others = export_checks.shared_source("onnx")
    with (tmp_path / changed).open("a") as file:
        file.write("\n")
    after = export_checks.source("squeezenet1_1"), export_checks.shared_source("openvino")
    assert (before[0] != after[0], before[1] != after[1]) == (own, not own)
    is_of_all = not own and changed != "deploy/openvino_graph.py"
    assert (export_checks.shared_source("onnx") != others) == is_of_all
