"""Other people's modules: what they take, what they give out, and what is refused."""

from dataclasses import dataclass

import pytest
import torch
import torch.nn as nn
from anybodys import CONV, Call, X, figures

from convatlas.anatomy import summary


class Pair(nn.Module):
    """Two inputs, one by keyword only."""

    def __init__(self):
        super().__init__()
        self.image = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.vector = nn.Linear(5, 4, bias=False)

    def forward(self, image, *, vector):
        return self.image(image) + self.vector(vector)[:, :, None, None]


def test_inputs_are_given_by_name():
    given = {"image": X, "vector": torch.zeros(1, 5)}
    counted = summary(Pair(), inputs=given)
    assert (counted.params, counted.macs) == (128, 64 * 108 + 20)
    assert [row.receptive_field for row in counted.rows] == [3, None]
    assert str(counted).startswith("Pair, inputs image 1x3x8x8 and vector 1x5\n")
    assert counted.input_size == (3, 8, 8)


class Both(nn.Module):
    """Takes what it is given apart."""

    def __init__(self, take):
        super().__init__()
        self.take = take
        self.conv = nn.Conv2d(3, 4, 3, padding=1, bias=False)

    def forward(self, *given):
        one, other = self.take(*given)
        return self.conv(one) + self.conv(other)


@dataclass
class Views:
    left: torch.Tensor
    right: torch.Tensor


@pytest.mark.parametrize(
    ("take", "inputs"),
    [
        (lambda one, other: (one, other), (X, X)),
        (lambda pair: pair, ([X, X],)),
        (lambda by_name: (by_name["a"], by_name["b"]), ({"a": X, "b": X},)),
        (lambda views: (views.left, views.right), (Views(X, X),)),
        (lambda one, times: (one, one * times), [X, 2]),
    ],
    ids=["two", "a list", "a dict", "a dataclass", "a number beside"],
)
def test_inputs_are_given_in_order(take, inputs):
    counted = summary(Both(take), inputs=inputs)
    assert (counted.params, counted.macs) == (CONV[0], 2 * CONV[1])
    assert (counted.layers, counted.parts[""].receptive_field) == (1, 3)


def test_several_sizes_are_one_image_each():
    two = Both(lambda one, other: (one, other))
    counted = summary(two, [(3, 8, 8), (3, 8, 8)])
    assert counted.macs == 2 * CONV[1]
    assert str(counted).startswith("Both, inputs 3x8x8 and 3x8x8\n")


def test_a_batch_counts_as_it_is():
    assert figures(Call(), inputs=torch.zeros(5, 3, 8, 8)) == (CONV[0], 5 * CONV[1])


def test_given_tensors_stay_as_they_are():
    class Doubling(nn.Module):
        def forward(self, x):
            return x.add_(float(x.sum()) + 1)

    x = torch.ones(1, 3, 8, 8)
    summary(Doubling(), inputs=x)
    assert torch.equal(x, torch.ones(1, 3, 8, 8))


def test_whole_numbers_are_inputs():
    words = nn.Sequential(nn.Embedding(100, 6), nn.Linear(6, 2, bias=False))
    assert figures(words, inputs=torch.zeros(1, 7, dtype=torch.long)) == (612, 7 * 12)
    with pytest.raises(ValueError, match=r"give what its forward takes: summary\(net, inputs="):
        summary(words, (7,))


@dataclass
class Answer:
    logits: torch.Tensor
    text: str = "a cat"


class Plain:
    def __init__(self, logits):
        self.logits = logits


@pytest.mark.parametrize(
    "output",
    [
        lambda y: Answer(y),
        lambda y: Plain(y),
        lambda y: {"out": [y]},
        lambda y: [{"boxes": y}, "note"],
        lambda y: {"deep": Answer(logits={"y": (None, y)})},
    ],
    ids=["a dataclass", "an object", "a dict", "a list", "all of them"],
)
def test_any_output_is_seen_into(output):
    counted = summary(Call(output), (3, 8, 8))
    assert counted.parts[""] == ((4, 8, 8), 3, 1)


def test_lazy_layers_find_their_sizes():
    lenet = nn.Sequential(
        *(nn.LazyConv2d(6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2, 2)),
        *(nn.LazyConv2d(16, 5), nn.Sigmoid(), nn.AvgPool2d(2, 2), nn.Flatten()),
        *(nn.LazyLinear(120), nn.Sigmoid(), nn.LazyLinear(84), nn.Sigmoid(), nn.LazyLinear(10)),
    )
    assert figures(lenet, (1, 28, 28)) == (61_706, 416_520)
    assert isinstance(lenet[0], nn.LazyConv2d)
    assert isinstance(lenet[0].weight, nn.UninitializedParameter)


def test_a_lazy_layer_that_never_runs_is_told():
    net = Call()
    net.unused = nn.LazyLinear(3)
    counted = summary(net, (3, 8, 8))
    assert (counted.params, counted.macs) == CONV
    assert counted.notes == (
        "without unused.weight, unused.bias: lazy, and never run, so of no size",
    )


def test_what_is_given_out_bit_by_bit_runs():
    class Yielding(Call):
        def forward(self, x):
            yield self.conv(x)

    counted = summary(nn.Sequential(Call(), nn.Conv2d(4, 3, 1), Yielding()), (3, 8, 8))
    assert counted.macs == 2 * CONV[1] + 64 * 12
    assert counted.parts["2"].layers == 0
    assert counted.notes[0].startswith("nothing in the output is known to come from the input")


@pytest.mark.parametrize(
    ("net", "size", "words"),
    [
        (Pair(), (3, 8, 8), "missing 1 required keyword-only argument: 'vector'; give what its"),
        (Call(lambda y: 1 / 0), (3, 8, 8), "Call does not run on an input of 3x8x8: ZeroDivision"),
        (Call(lambda y: y.nothing), (3, 8, 8), "has no attribute 'nothing'"),
        (Call(), (4, 8, 8), "Call does not run on an input of 4x8x8 at conv: Invalid channel"),
        (Call(), (3, -8, 8), "input_size is (3, -8, 8), which is no size"),
        (Call(), (1, 3, 8, 8), "; give the size without the batch: (3, 8, 8)"),
        (Call(), 224, "input_size is 224, which is no size"),
        (Call(), None, "Call does not state an input size; give one: summary(net, input_size="),
        (Call(lambda y: y.mean().item()).to("meta"), (3, 8, 8), "cannot be called on meta"),
    ],
)
def test_what_does_not_run_is_one_sentence(net, size, words):
    with pytest.raises(ValueError, match=r".") as error:
        summary(net, size)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_no_module_is_refused():
    with pytest.raises(ValueError, match="both given; give the one that is meant"):
        summary(Call(), (3, 8, 8), inputs=X)
    with pytest.raises(TypeError, match="a str is no network; give a torch"):
        summary("resnet50")
