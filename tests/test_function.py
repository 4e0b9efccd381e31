"""What a network computes, in a few numbers: they are the same everywhere, and another function has
others.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.nn as nn

from benchmarks import planted_faults
from convatlas import index
from convatlas.anatomy import summary
from convatlas.anatomy.function import TOLERANCE, difference, fingerprint, fixed_buffers, hashed
from convatlas.cli import claims
from convatlas.held import computed, first_change, held
from convatlas.index import function
from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only

ROOT = Path(__file__).parents[1]
S2_TO_C3 = "(0, 1, 3, 4), (1, 2, 4, 5)"
EXCHANGED = "(0, 1, 2, 4), (1, 3, 4, 5)"
SIZE = (3, 33, 26)


def small(last: nn.Module | None = None) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        last or nn.ReLU(),
        nn.Conv2d(8, 5, 3),
    )


def apart(a: dict, b: dict) -> float:
    """The largest difference of two fingerprints, as a share of a part's size."""
    return max(
        abs(one - other) / a[part][0]
        for part in a
        for one, other in zip(a[part], b[part], strict=True)
    )


def test_weights_are_integer_hashes_of_name_and_place():
    """As Python's integers of any length have them; the CRC-32 of no letters is 0."""

    def number(place: int) -> float:
        x = place + 1
        for shift, factor in ((16, 0x21F0AAAD), (15, 0x735A2D97)):
            x = (x ^ x >> shift) * factor % 2**32
        return ((x ^ x >> 15) + 0.5) / 2**31 - 1

    assert hashed("", (3,)).tolist() == [number(i) for i in range(3)]
    values = hashed("conv1.weight", (1000, 3000))  # longer than the table of hashes
    assert float(values.abs().max()) <= 1
    assert abs(float(values.mean())) < 1e-3
    assert float(values.square().mean()) == pytest.approx(1 / 3, rel=1e-3)
    assert not torch.equal(hashed("conv2.weight", (50,)), hashed("conv1.weight", (50,)))


def test_a_network_is_left_as_it_was_and_its_own_weights_play_no_part():
    torch.manual_seed(0)
    net = small()
    net[1].eval()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    measured = fingerprint(net, SIZE)
    assert [module.training for module in net] == [True, False, True, True]
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net)
    assert fingerprint(small().to("meta"), SIZE) == measured


def test_images_and_sizes_differ():
    assert fingerprint(small(), SIZE) != fingerprint(small(), SIZE, content=1)
    assert fingerprint(small(), SIZE) != fingerprint(small(), (3, 26, 33))


def test_codes_on_the_meta_device_are_refused():
    with shapes_only():
        net = create_model("lenet5")
    assert fixed_buffers(net) == ["output.codes"]
    with pytest.raises(ValueError, match=r"output\.codes has no numbers on the meta device"):
        fingerprint(net, (1, 32, 32))


def test_a_difference_names_the_first_part_and_how_large_it_is():
    stored = {"conv1": [2.0, 1.0], "conv2": [1.0, -0.5], "logits": [1.0, 0.25]}
    moved = stored | {"conv2": (1.0, -0.4999), "logits": (1.0, 0.75)}
    assert (
        difference(stored, moved) == "conv2 is the first part that differs, by 1.0e-04 of its size"
    )
    assert difference(stored, stored | {"conv1": (2.0, 1.0 + TOLERANCE)}) == ""
    assert difference(stored, stored | {"conv1": (2.0, float("nan"))}).startswith("conv1")
    assert difference(stored, stored | {"head 1": (1.0, 1.0)}) == "head 1 is new"
    assert difference(stored | {"head 1": [1.0]}, stored) == "head 1 is gone"


def test_signals_neither_fade_nor_explode_in_any_network():
    for file in function.FOLDER.iterdir():
        for image, parts in json.loads(file.read_text()).items():
            for part, (size, *_) in parts.items():
                assert 0.05 < size < 1000, f"{file.stem} at {image}, {part}"


@pytest.mark.parametrize("capability", ["default", "avx2"])
def test_another_processor_s_rounding_is_far_below_the_tolerance(capability):
    """A deep one, one of many branches, one that squashes."""
    names = ("resnet110_cifar", "bn_inception", "lenet5")
    code = (
        "import json, torch; from convatlas.index.function import function; "
        f"print(json.dumps({{name: function(name) for name in {names}}}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "ATEN_CPU_CAPABILITY": capability, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    for name, measured in json.loads(done.stdout).items():
        for image, parts in function.stored(name).items():
            assert apart(parts, measured[image]) < TOLERANCE / 100


AVERAGED = '"avg": __import__("functools").partial(nn.AvgPool2d, count_include_pad=False)'
FAULTS = [  # network, file, what stands there, what is planted
    ("lenet5", "nets/lenet5.py", S2_TO_C3, EXCHANGED),
    ("lenet1989", "nets/lenet1989.py", "((0,), (0, 1), ", "((0, 1), (0,), "),
    ("alexnet", "layers/modules.py", "beta=0.75, k=2.0", "beta=0.75, k=1.0"),
    ("googlenet", "layers/modules.py", "alpha=5 * 1e-4", "alpha=1e-4"),
    ("nin_cifar10", "nets/nin.py", "return x.mean((2, 3))", "return x.amax((2, 3))"),
    ("shufflenet_v1_g1_x0_25", "nets/shufflenet_v1.py", "F.relu(x + ", "F.relu6(x + "),
    ("bn_inception", "nets/bn_inception.py", '"avg": nn.AvgPool2d', AVERAGED),
    (
        "resnet20_cifar",
        "layers/modules.py",
        "nn.BatchNorm2d(c_out),",
        "nn.BatchNorm2d(c_out, 2e-5),",
    ),
    ("mobilenet_v2_x0_35", "nets/mobilenet_v2.py", "x + self.layers(x) if", "self.layers(x) if"),
    ("squeezenet1_1", "nets/squeezenet.py", "self.expand3x3(x)]", "self.expand3x3(x)][::-1]"),
    ("inception_v3", "nets/inception_v3.py", "(self.aux(out_6e), 0.4)", "(self.aux(out_6e), 0.3)"),
    (
        "se_resnet110_cifar",
        "layers/modules.py",
        "u * s[:, :, None, None]",
        "u + s[:, :, None, None]",
    ),
    ("preresnet110_cifar", "nets/preresnet.py", "return x + self.branch(", "return self.branch("),
    ("squeezenet1_0_simple_bypass", "nets/squeezenet.py", "(x) + self", "(x) + 0.5 * self"),
]


@pytest.mark.parametrize(("name", "file", "was", "becomes"), FAULTS)
def test_a_fault_that_no_layer_table_shows_is_seen(name, file, was, becomes):
    """Those that an audit planted unseen, and their like."""
    source = planted_faults.sources()[file]
    assert was in source
    change = planted_faults.Planted(file, source.replace(was, becomes))
    net = planted_faults.build(name, change, "cpu" if name == "lenet5" else "meta")
    layers = json.loads((index.HERE / "layers" / f"{name}.json").read_text())
    assert first_change(layers, index.rows_of(summary(net))) == ""
    assert "is the first part that differs" in function.first_difference(
        function.stored(name), function.of(net)
    )


def test_the_rest_of_the_house_keeps_its_networks_while_a_fault_is_planted():
    source = planted_faults.sources()["nets/vgg.py"]
    before = sys.modules["convatlas.layers"]
    planted_faults.build("vgg11", planted_faults.Planted("nets/vgg.py", source))
    assert sys.modules["convatlas.layers"] is before
    assert [each.difference for each in held("lenet1989")] == ["", "", ""]


def test_a_network_without_a_record_is_named_with_what_makes_one(monkeypatch):
    monkeypatch.setattr(function, "stored", lambda name: {})
    assert computed("lenet1989").difference == (
        "the index holds none; if the change is meant, `python -m convatlas.index lenet1989` "
        "renews it"
    )


def changed(name: str) -> dict:
    """A record whose second image has another value in its last part."""
    held_now = function.stored(name)
    _, second = held_now
    held_now[second]["logits"][1] += 0.001 * held_now[second]["logits"][0]
    return held_now


def test_verify_says_what_was_compared_and_fails_where_it_differs(capsys, monkeypatch):
    assert claims.verify("lenet1989") == 0
    assert " ".join(capsys.readouterr().out.split()).startswith(
        "layers as recorded (10 rows); graph as recorded (12 boxes); "
        "function as recorded (at 1x31x30 and 1x28x28)"
    )
    record = changed("lenet1989")
    monkeypatch.setattr(function, "stored", lambda name: record)
    assert claims.verify("lenet1989") == 1
    out = " ".join(capsys.readouterr().out.split())
    assert (
        "FAILS lenet1989: function not as recorded, at 1x28x28: logits is the first part that "
        "differs, by 1.0e-03 of its size; if the change is meant" in out
    )
    assert claims.verify("lenet1989", json=True) == 1
    layers, graph, values = json.loads(capsys.readouterr().out)["recorded"]
    assert (layers["what"], layers["difference"]) == ("layers", "")
    assert (graph["what"], graph["difference"]) == ("graph", "")
    assert values["difference"].startswith("at 1x28x28: logits")


def test_renewing_leaves_the_bytes_of_what_did_not_change(tmp_path):
    (tmp_path / "gone.json").write_text("{}")
    measured = function.function("lenet1989")
    function.write({"lenet1989": measured}, ["lenet1989"], tmp_path)
    (file,) = tmp_path.iterdir()
    written = file.read_bytes()
    other_rounding = {
        image: {part: tuple(v * (1 + 1e-11) for v in values) for part, values in parts.items()}
        for image, parts in measured.items()
    }
    function.write({"lenet1989": other_rounding}, ["lenet1989"], tmp_path)
    assert file.read_bytes() == written
    function.write({"lenet1989": changed("lenet1989")}, ["lenet1989"], tmp_path)
    assert file.read_bytes() != written


def test_functions_alone_are_renewed(tmp_path):
    lines = []
    index.write_functions(["lenet1989", "lenet1989_zip"], tmp_path, lines.append)
    assert [line.split()[0] for line in lines] == ["lenet1989", "lenet1989_zip"]
    for name in ("lenet1989", "lenet1989_zip"):
        written = function.stored(name, tmp_path)
        assert function.first_difference(function.stored(name), written) == ""
    assert set(function.stored("lenet1989_zip")) == {"1x16x16", "1x15x15"}
