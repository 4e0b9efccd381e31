"""A narrowed network on disk: model.json says its widths, and hostile ones are refused."""

import json

import pytest
import torch

from convatlas.compression import deep_compression
from convatlas.compression.compressed_file import load_compressed
from convatlas.data import Preprocess
from convatlas.errors import InputError, ModelFileError
from convatlas.model_description import checksum
from convatlas.model_file import Saved, describe_model, load_model, weights_file
from convatlas.narrowing.groups import dissected
from convatlas.narrowing.surgery import cut, narrowed, widths
from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only

NAME = "mobilenet_v1_x0_25"
PREP = Preprocess(3, 32, (0.5,) * 3, (0.2,) * 3, "resize", 32)
CLASSES = ("cat", "dog")


@pytest.fixture(scope="module")
def small():
    """A network of which every layer is narrower, and its widths."""
    torch.manual_seed(0)
    net = create_model(NAME, num_classes=2).eval()
    whole = net
    for number in range(3):
        group = dissected(net, (3, 32, 32)).narrowable[number]
        net = cut(net, group.keeps(group.choices[0]))
    return net, widths(net, whole)


@pytest.fixture
def folder(small, tmp_path):
    net, changed = small
    weights = weights_file(net.state_dict())
    (tmp_path / "model.safetensors").write_bytes(weights)
    text = describe_model(NAME, CLASSES, PREP, {"seed": 0}, weights, changed)
    (tmp_path / "model.json").write_text(text)
    return tmp_path


def images():
    return torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def test_it_answers_as_before_and_only_then_the_format_is_2(small, folder):
    net, changed = small
    about = json.loads((folder / "model.json").read_text())
    assert about["format"] == 2
    assert about["widths"] == {name: list(shape) for name, shape in changed.items()}
    saved = load_model(folder)
    assert saved.widths == changed
    with torch.inference_mode():
        assert torch.equal(saved.net(images()), net(images()))
    plain = json.loads(describe_model(NAME, CLASSES, PREP, {}, b"", {}))
    assert plain["format"] == 1
    assert "widths" not in plain


def test_it_is_compressed_and_comes_back(small, tmp_path):
    net, changed = small
    saved = Saved(net, NAME, CLASSES, PREP, {}, changed)
    found = deep_compression.compress(saved, deep_compression.Settings(epochs=0))
    deep_compression.write(found, tmp_path / "small.dc")
    again = load_compressed(tmp_path / "small.dc")
    assert again.widths == changed
    with torch.inference_mode():
        assert torch.equal(again.net(images()), found.saved.net(images()))


def first_of(about) -> str:
    return next(iter(about["widths"]))


HOSTILE = {
    "more channels": lambda a: a["widths"].update({first_of(a): [64, 3, 3, 3]}),
    "none": lambda a: a["widths"].update({first_of(a): [0, 3, 3, 3]}),
    "endless": lambda a: a["widths"].update({first_of(a): [10**300, 3, 3, 3]}),
    "negative": lambda a: a["widths"].update({first_of(a): [-1, 3, 3, 3]}),
    "another kernel": lambda a: a["widths"].update({first_of(a): [4, 3, 1, 1]}),
    "other dimensions": lambda a: a["widths"].update({first_of(a): [4]}),
    "no dimension": lambda a: a["widths"].update({first_of(a): []}),
    "a text": lambda a: a["widths"].update({first_of(a): "4"}),
    "a fraction": lambda a: a["widths"].update({first_of(a): [4.0, 3, 3, 3]}),
    "an unknown name": lambda a: a["widths"].update(other=[1]),
    "one that is left out": lambda a: a["widths"].pop(first_of(a)),
    "one that does not fit": lambda a: a["widths"].update({first_of(a): [3, 3, 3, 3]}),
    "none at all": lambda a: a.update(widths={}),
    "a list": lambda a: a.update(widths=[[1]]),
    "of format 1": lambda a: a.update(format=1),
    "format 2 without": lambda a: a.pop("widths"),
    "format 3": lambda a: a.update(format=3),
    "of another network": lambda a: a.update(network="vgg16"),
}


@pytest.mark.parametrize("edit", HOSTILE)
def test_hostile_widths_are_refused_before_anything_is_made(edit, folder, monkeypatch):
    about = json.loads((folder / "model.json").read_text())
    HOSTILE[edit](about)
    about["checksum"] = checksum(about)
    (folder / "model.json").write_text(json.dumps(about))
    monkeypatch.setattr("convatlas.model_file._weights", lambda *_: pytest.fail("it was read"))
    with pytest.raises(ModelFileError, match=r"model\.json") as refused:
        load_model(folder)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("shapes", "why"),
    [
        ({"fc.weight": (1, 256), "fc.bias": (2,)}, "the widths of fc do not fit each other"),
        ({"absent": (1,)}, "widths of 'absent', which the network has not"),
        ({"fc.weight": (2, 257)}, "cannot be narrowed from 2x256 to 2x257"),
    ],
)
def test_shapes_that_no_cut_gives_are_refused(shapes, why):
    with shapes_only():
        net = create_model(NAME, num_classes=2)
    with pytest.raises(InputError, match=why):
        narrowed(net, shapes)


def test_a_depthwise_layer_has_as_many_groups_as_channels(small):
    net, changed = small
    depthwise = [
        part
        for name, part in net.named_modules()
        if f"{name}.weight" in changed and isinstance(part, torch.nn.Conv2d) and part.groups > 1
    ]
    assert depthwise
    assert all(
        part.groups == part.in_channels == part.out_channels == len(part.weight)
        for part in depthwise
    )
