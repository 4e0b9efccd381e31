"""The recorded answer is held to eight digits, and a file that appears meanwhile is never
overwritten.
"""

import json
import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from convatlas.errors import WeightsError
from convatlas.registry import create_model
from convatlas.weights import load_weights, probe, save_weights, writing
from convatlas.weights.reading import read

NAME = "lenet5_tutorial"


@pytest.fixture
def file(tmp_path):
    torch.manual_seed(3)
    save_weights(create_model(NAME), tmp_path / "w.safetensors")
    return tmp_path / "w.safetensors"


def with_answer(file: Path, change) -> Path:
    """The same weights, with another answer recorded beside them."""
    metadata = dict(read(file).metadata)
    answer = json.loads(metadata[probe.ANSWER])
    change(answer)
    metadata[probe.ANSWER] = json.dumps(answer)
    save_file(load_file(file), other := file.with_name("other.safetensors"), metadata)
    return other


@pytest.mark.parametrize("share", [1e-5, 1e-7])
def test_an_answer_a_little_off_is_refused(file, share):
    def change(answer):
        answer[4] += share * max(map(abs, answer))

    with pytest.raises(WeightsError, match="does not answer as recorded in it"):
        load_weights(create_model(NAME), with_answer(file, change))


def test_an_answer_within_rounding_passes(file):
    def change(answer):
        answer[4] += 1e-10 * max(map(abs, answer))

    found = load_weights(create_model(NAME), with_answer(file, change))
    assert 1e-11 < found.difference < 1e-9


@pytest.mark.parametrize("place", [0, 4, 9])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_an_answer_that_is_no_number_is_refused(file, place, value):
    """max() of Python finds a NaN in the first place only."""

    def change(answer):
        answer[place] = value

    with pytest.raises(WeightsError, match="does not answer as recorded in it"):
        load_weights(create_model(NAME), with_answer(file, change))


def test_an_answer_of_another_length_is_refused(file):
    with pytest.raises(WeightsError, match="does not answer as recorded in it"):
        load_weights(create_model(NAME), with_answer(file, lambda answer: answer.pop()))


def test_a_classifier_that_begins_at_zero_answers_as_recorded(tmp_path):
    net = create_model("resnet20_cifar")
    torch.nn.init.zeros_(net.fc.weight)
    torch.nn.init.zeros_(net.fc.bias)
    save_weights(net, tmp_path / "zero.safetensors")
    assert (
        load_weights(create_model("resnet20_cifar"), tmp_path / "zero.safetensors").difference == 0
    )


def test_a_file_that_appears_while_ours_is_written_stays_as_it_is(tmp_path, monkeypatch):
    path = tmp_path / "w.pth"
    chmod = writing.os.chmod

    def meanwhile(*words):
        chmod(*words)
        path.write_bytes(b"somebody else's")

    monkeypatch.setattr(writing.os, "chmod", meanwhile)
    with pytest.raises(WeightsError, match=r"w\.pth exists; give another name"):
        save_weights(create_model("resnet18", in_channels=1), path, "torchvision")
    assert path.read_bytes() == b"somebody else's"
    assert list(tmp_path.iterdir()) == [path]
