"""What of somebody's module is taken for a network."""

import types

import pytest
from sources import SMALL
from torch import nn

from convatlas.errors import IdentifyError
from convatlas.identification.makers import networks


def module(tmp_path, source: str) -> types.ModuleType:
    """A module of this text, whose functions can be read again from its file."""
    file = tmp_path / "handed_in.py"
    file.write_text(source)
    made = types.ModuleType("handed_in")
    exec(compile(source, str(file), "exec"), vars(made))
    return made


def calls(tmp_path, source: str) -> list[str]:
    return [made.call for made in networks(module(tmp_path, source), "", "net.py")[0]]


def test_functions_that_give_one_are_called_and_no_others(tmp_path):
    assert calls(tmp_path, SMALL) == ["five()", "seven()"]


def test_a_class_that_no_function_gives_is_tried(tmp_path):
    source = SMALL.partition("def five")[0]
    assert calls(tmp_path, source) == ["Net()"]


def test_an_object_is_taken_for_itself(tmp_path):
    source = "import torch.nn as nn\nnet = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())\nn = 3"
    assert calls(tmp_path, source) == ["net"]


def test_parts_of_a_network_are_none(tmp_path):
    source = SMALL.replace("channels, more):", "channels=3, more=4):").partition("def five")[0]
    assert calls(tmp_path, source) == ["Net()"]


@pytest.mark.parametrize(
    ("call", "outputs"),
    [("Net", 10), ("Net()", 10), ("Net(3)", 3), ("Net(classes=LIMIT + 1)", 4), ("seven", 7)],
)
def test_a_call_is_made_as_it_is_typed(call, outputs, tmp_path):
    ((made,), _) = networks(module(tmp_path, SMALL), call, "net.py")
    assert made.net.fc.out_features == outputs


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("LIMIT", "LIMIT is no network but an int; it defines five, seven, Block, Net, Pair"),
        ("number", "number is no network but an int"),
        ("Other", "it has no Other; it defines five, seven"),
        ("Net.forward", "Net.forward wants self and x"),
        ("Block", "Block wants channels and more; give them: `convatlas identify 'net.py:Block("),
    ],
)
def test_what_is_none_is_a_sentence(call, said, tmp_path):
    with pytest.raises(IdentifyError) as caught:
        networks(module(tmp_path, SMALL), call, "net.py")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x = 1", "it defines no torch.nn.Module"),
        (
            "import torch.nn as nn\nclass A(nn.Module):\n    def __init__(self, depth): pass\n"
            "class B(nn.Module):\n    def __init__(self): raise OSError",
            "A wants depth; B fails (OSError); give them: `convatlas identify 'net.py:NAME(...)'`",
        ),
    ],
)
def test_a_file_without_one_is_a_sentence(source, said, tmp_path):
    with pytest.raises(IdentifyError) as caught:
        networks(module(tmp_path, source), "", "net.py")
    assert said in str(caught.value)


def test_sizes_begin_with_what_the_network_states():
    from convatlas.identification.sizes import sizes_of

    net = nn.Sequential(nn.Conv2d(1, 4, 3))
    assert sizes_of(net)[:3] == [(1, 224, 224), (1, 32, 32), (1, 28, 28)]
    net.default_cfg = {"input_size": (1, 96, 96)}
    assert sizes_of(net)[:2] == [(1, 96, 96), (1, 224, 224)]
    net.image_size = 48
    assert sizes_of(net)[0] == (1, 48, 48)
    assert sizes_of(nn.Linear(4, 2))[:2] == [(3, 224, 224), (1, 224, 224)]
