"""The fastest form of those that answer right is taken, and what is remembered is not believed."""

import json
import os
import stat
from dataclasses import replace

import pytest
import torch

from convatlas.data import Preprocess
from convatlas.errors import ExportError
from convatlas.model_file import Saved
from convatlas.registry import create_model
from convatlas.speed import choosing, comparing
from convatlas.speed.comparing import Reference
from convatlas.speed.forms import EAGER, FORMS, Forms
from convatlas.timing import Timing

TORCH = [FORMS["eager"], FORMS["channels_last"]]


@pytest.fixture(scope="module")
def saved() -> Saved:
    torch.manual_seed(0)
    net = create_model("lenet5").eval()
    prep = Preprocess(1, 32, (0.4,), (0.3,), "pad", 28)
    return Saved(net, "lenet5", tuple("abcdefghij"), prep, {})


@pytest.fixture(scope="module")
def pictures(saved):
    """Made once: all tests compare on the same."""
    return Reference(saved, 12).images


@pytest.fixture
def times(monkeypatch, tmp_path, pictures):
    """form -> seconds; what is not in it is never to be timed. Counts how often is measured."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(comparing, "_prepared", lambda saved, count: pictures[:count])
    monkeypatch.setattr(choosing, "is_installed", lambda form: form.engine == "torch")
    given = {"eager": 2.0, "channels_last": 1.0}
    measured = []

    def fake(calls, seconds, clock):
        measured.append([*calls])
        for call in calls.values():
            call()
        return {name: Timing(9 - given[name], given[name], 9.0, 0.0, 5) for name in calls}

    monkeypatch.setattr(choosing, "alternated", fake)
    given["measured"] = measured
    return given


def planted(monkeypatch, name: str, answer) -> None:
    made = Forms.made
    monkeypatch.setattr(
        Forms,
        "made",
        lambda self, form, threads=None: answer if form.name == name else made(self, form, threads),
    )


def remembered(tmp_path):
    (file,) = (tmp_path / "convatlas" / "engines").glob("*.json")
    return file


def test_the_fastest_is_taken(saved, times):
    assert choosing.choose(saved, TORCH).form.name == "channels_last"
    times["eager"] = 0.5
    found = choosing.measured(Forms(saved), TORCH, Reference(saved, 12))
    assert found.form == EAGER
    assert str(found) == "eager, 500.0 ms a picture, channels_last 1000.0"


def test_those_that_are_close_are_timed_again_for_longer(saved, monkeypatch, pictures):
    """In the short time channels_last meets whatever else the machine does."""
    monkeypatch.setattr(comparing, "_prepared", lambda saved, count: pictures[:count])
    asked = []

    def fake(calls, seconds, clock):
        asked.append((seconds, [*calls]))
        late = 1.0 if seconds > 3 else 1.2
        times = {"eager": 1.1, "channels_last": late, "inductor": 1.5}
        return {name: Timing(9.0, times[name], 9.0, 0.0, 5) for name in calls}

    monkeypatch.setattr(choosing, "alternated", fake)
    planted(monkeypatch, "inductor", saved.net)
    forms = [*TORCH, FORMS["inductor"]]
    found = choosing.measured(Forms(saved), forms, Reference(saved, 12), seconds=3)
    assert found.form.name == "channels_last"
    assert asked == [
        (3, ["eager", "channels_last", "inductor"]),
        (6, ["eager", "channels_last"]),
    ]
    assert found.reason == "1000.0 ms a picture, eager 1100.0, inductor 1500.0"


def test_a_wrong_form_is_never_timed_nor_taken(saved, times, monkeypatch):
    asked = []

    def wrong(images):
        asked.append(len(images))
        assert sum(asked) <= 12, "it was called after it had been compared"
        with torch.inference_mode():
            return saved.net(images) * 1.0001

    planted(monkeypatch, "channels_last", wrong)
    chosen = choosing.choose(saved, TORCH)
    assert chosen.form == EAGER
    assert times["measured"] == [["eager"]]
    assert "refused: channels_last does not answer as predict does (error 1.0e-04 > 1e-05)" in (
        chosen.reason
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nor_is_one_whose_answers_are_no_numbers(saved, times, monkeypatch, value):
    planted(monkeypatch, "channels_last", lambda images: torch.full((len(images), 10), value))
    assert choosing.choose(saved, TORCH).form == EAGER


def test_nor_one_that_changes_an_answer(saved, times, monkeypatch):
    """Two classes that are level, told apart by less than the limit."""
    level = replace(saved, net=Level())
    planted(monkeypatch, "channels_last", lambda images: Level()(images).flip(1))
    chosen = choosing.choose(level, TORCH)
    assert chosen.form == EAGER
    assert "(same answer 0.0 % < 100 %)" in chosen.reason


class Level(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor([1.0, 1.0 + 1e-6]))

    def forward(self, images):
        return self.weight.detach().expand(len(images), 2)


def test_where_all_are_wrong_it_is_said(saved, times, monkeypatch):
    planted(monkeypatch, "channels_last", lambda images: torch.zeros(len(images), 10))
    with pytest.raises(ExportError, match="channels_last does not answer as predict does"):
        choosing.choose(saved, TORCH[1:])


def test_bfloat16_is_for_those_who_ask(monkeypatch):
    monkeypatch.setattr(choosing, "is_installed", lambda form: True)
    names = [form.name for form in choosing._candidates("auto", bf16=False)]
    assert names == ["eager", "channels_last", "onnxruntime", "openvino", "ncnn"]
    assert [form.name for form in choosing._candidates("openvino", bf16=True)] == [
        "openvino",
        "openvino-bf16",
    ]
    with pytest.raises(ExportError, match=r"convatlas\[openvino\]"):
        choosing._candidates("torch", bf16=True)


def test_auto_without_the_extras_is_torch(times):
    assert choosing._candidates("auto", bf16=False) == TORCH


def test_a_choice_is_remembered_by_name_alone(saved, times, tmp_path):
    choosing.choose(saved, TORCH)
    assert json.loads(remembered(tmp_path).read_text()) == {"form": "channels_last"}
    again = choosing.choose(saved, TORCH)
    assert again.form.name == "channels_last" and len(times["measured"]) == 1
    assert again.reason == "the fastest when it was measured here"


def other_weights(saved, monkeypatch):
    net = create_model("lenet5").eval()
    return replace(saved, net=net), TORCH


def other_processor(saved, monkeypatch):
    monkeypatch.setattr(choosing, "processor", lambda: "another")
    return saved, TORCH


def other_versions(saved, monkeypatch):
    monkeypatch.setattr(choosing, "installed", lambda *packages: {"torch": "99"})
    return saved, TORCH


def other_threads(saved, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 77)
    monkeypatch.setattr(torch, "set_num_threads", lambda number: None)  # nor do others get so many
    return saved, TORCH


def other_candidates(saved, monkeypatch):
    return saved, TORCH[:1]


@pytest.mark.parametrize(
    "changed", [other_weights, other_processor, other_versions, other_threads, other_candidates]
)
def test_what_the_choice_depends_on_is_measured_anew(saved, times, monkeypatch, changed):
    choosing.choose(saved, TORCH)
    choosing.choose(*changed(saved, monkeypatch))
    assert len(times["measured"]) == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[" * 5000,
        b"null",
        b'["eager"]',
        b'{"form": 3}',
        b'{"form": ["eager"]}',
        b'{"form": "../../etc/passwd"}',
        b'{"form": "openvino-bf16"}',
        b'{"form": "inductor"}',
        b'{"form": "eager", "form": "eager"}',
        b'{"form": "eager"}' + b" " * choosing.LARGEST,
    ],
)
def test_a_hostile_memory_is_measured_again(saved, times, tmp_path, content):
    choosing.choose(saved, TORCH)
    remembered(tmp_path).write_bytes(content)
    assert choosing.choose(saved, TORCH).form.name == "channels_last"
    assert len(times["measured"]) == 2
    assert json.loads(remembered(tmp_path).read_text()) == {"form": "channels_last"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_nor_is_a_pipe_waited_for(saved, times, tmp_path):
    choosing.choose(saved, TORCH)
    file = remembered(tmp_path)
    file.unlink()
    os.mkfifo(file)
    assert choosing.choose(saved, TORCH).form.name == "channels_last"
    assert stat.S_ISREG(file.stat().st_mode)


def test_a_remembered_form_that_answers_otherwise_now_is_not_taken(saved, times, monkeypatch):
    choosing.choose(saved, TORCH)
    planted(monkeypatch, "channels_last", lambda images: torch.zeros(len(images), 10))
    assert choosing.choose(saved, TORCH).form == EAGER


def test_nothing_is_lost_where_nothing_can_be_remembered(saved, times, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert choosing.choose(saved, TORCH).form.name == "channels_last"


def test_a_network_on_an_engine_answers_as_before(saved, times):
    there = saved.on_engine()
    picture = torch.randint(0, 256, (3, 50, 40), dtype=torch.uint8)
    (before,), (after,) = saved(picture), there(picture)
    assert after.classes == before.classes
    assert after.probabilities == pytest.approx(before.probabilities, abs=1e-6)
    assert there.classes == saved.classes and there.preprocess == saved.preprocess


def test_images_of_another_size_meet_the_network_itself():
    net = torch.nn.Conv2d(1, 1, 1)
    there = choosing.AsForm(net, lambda images: torch.full((len(images), 2), 7.0), (1, 4, 4))
    assert there(torch.zeros(3, 1, 4, 4)).tolist() == [[7.0, 7.0]] * 3
    assert torch.equal(there(torch.ones(1, 1, 5, 5)), net(torch.ones(1, 1, 5, 5)))
    assert there.kernel_size == (1, 1) and len([*there.parameters()]) == 2


def test_an_unknown_engine_is_one_sentence(saved):
    with pytest.raises(ExportError, match="there is no engine 'tensorrt'; allowed: auto"):
        saved.on_engine("tensorrt")


def test_an_engine_is_for_the_processor(saved):
    there = replace(saved, net=create_model("lenet5").to("meta"))
    with pytest.raises(ExportError, match="chosen for the processor"):
        there.on_engine()
