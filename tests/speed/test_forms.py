"""Every form answers as the network does, and says what is missing."""

import pytest
import torch

from convatlas.data import Preprocess
from convatlas.errors import ExportError
from convatlas.model_file import Saved
from convatlas.registry import create_model
from convatlas.speed import forms as module
from convatlas.speed.comparing import Reference
from convatlas.speed.forms import EAGER, FORMS, LARGEST_BATCH, Form, Forms


@pytest.fixture(scope="module")
def saved() -> Saved:
    torch.manual_seed(0)
    net = create_model("lenet5").eval()
    prep = Preprocess(1, 32, (0.4,), (0.3,), "pad", 28)
    return Saved(net, "lenet5", tuple("abcdefghij"), prep, {})


def images(count: int) -> torch.Tensor:
    return torch.randn(count, 1, 32, 32, generator=torch.Generator().manual_seed(count))


# ncnn refuses this network: tests/speed/test_ncnn_form.py
@pytest.mark.parametrize(
    "name", [name for name, form in FORMS.items() if not form.slow and name != "ncnn"]
)
@pytest.mark.parametrize("count", [1, 3, LARGEST_BATCH + 1])
def test_a_form_answers_as_the_network_does(saved, name, count):
    form = FORMS[name]
    for package in form.packages:
        pytest.importorskip(package, reason=f"the extra {form.extra} is not installed")
    batch = images(count)
    found = Forms(saved).made(form, 1)(batch)
    with torch.inference_mode():
        wanted = saved.net(batch)
    limit = 1e-5 if form.precision == "f32" else 0.1
    assert found.dtype == torch.float32
    assert (found - wanted).abs().max() <= limit * wanted.abs().max()


@pytest.mark.full
@pytest.mark.parametrize("name", [name for name, form in FORMS.items() if form.slow])
def test_so_do_those_that_are_slow_to_make(saved, name):
    form = FORMS[name]
    assert Reference(saved, 4).compare(Forms(saved).made(form, 1), form.precision).is_near


def test_the_network_stays_as_it_is(saved):
    before = [p.stride() for p in saved.net.parameters()]
    Forms(saved).made(FORMS["channels_last"], 1)(images(1))
    assert [p.stride() for p in saved.net.parameters()] == before


def test_an_engine_is_made_once_for_each_size_of_batch():
    made = []

    def of(batch: int):
        made.append(batch)
        return lambda part: part[:, 0] if len(part) == batch else None

    answer = module._in_goes(of)
    batch = torch.arange(2.0 * (2 * LARGEST_BATCH + 1)).view(-1, 2)
    assert torch.equal(answer(batch), batch[:, 0])
    assert torch.equal(answer(batch[:1]), batch[:1, 0])
    assert made == [LARGEST_BATCH, 1]


def test_a_missing_engine_names_its_extra(saved):
    form = Form("other", "other", extra="onnx", packages=("torch", "no_such_engine"))
    assert not module.is_installed(form)
    with pytest.raises(ExportError, match=r"form other needs no_such_engine.*convatlas\[onnx\]"):
        Forms(saved).made(form)


def test_an_engine_that_fails_is_one_sentence(saved, monkeypatch):
    def fail(self, form, threads):
        raise RuntimeError("no kernel for Foo\nat line 3")

    monkeypatch.setattr(Forms, "_made", fail)
    with pytest.raises(ExportError) as refused:
        Forms(saved).made(EAGER)
    assert str(refused.value) == (
        "torch cannot read lenet5 (no kernel for Foo); choose another engine"
    )
