"""Other people's modules: what they take, what they give out, what they keep, and what they are
when they cannot run without numbers.
"""

import threading
from dataclasses import dataclass

import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils import parametrizations, prune
from torchvision.ops import DeformConv2d

from convatlas.anatomy import summary

X = torch.zeros(1, 3, 8, 8)
REAL = "counted on a real pass: without numbers, "


class Call(nn.Module):
    """Any function of a convolution's output as the rest of a network."""

    def __init__(self, function=lambda x: x):
        super().__init__()
        self.function = function
        self.conv = nn.Conv2d(3, 4, 3, padding=1, bias=False)

    def forward(self, x):
        return self.function(self.conv(x))


CONV = (4 * 27, 64 * 4 * 27)  # its parameters and multiply-adds on 8x8


def figures(net, *args, **kwargs) -> tuple[int, int]:
    counted = summary(net, *args, **kwargs)
    return counted.params, counted.macs


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


CONSTANT = torch.full((4, 1, 1), 2.0)
READS = {
    "item": lambda y: y * y.mean().item(),
    "if": lambda y: y if y.mean() > 100 else -y,
    "assert": lambda y: [y, torch.isfinite(y).all().item()][0],
    "a constant of the file": lambda y: y * CONSTANT,
    "numpy": lambda y: y + torch.from_numpy(y.numpy()),
    "nonzero": lambda y: y * len(y.nonzero()),
    "masked": lambda y: y * y[y > 0].sum(),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_what_reads_values_runs_on_a_real_copy(read):
    counted = summary(Call(read), (3, 8, 8))
    assert (counted.params, counted.macs) == CONV
    assert counted.notes[0].startswith(REAL)
    assert str(counted).splitlines()[-len(counted.notes)] == counted.notes[0]


def test_what_is_read_into_python_is_said_to_be_lost():
    decided = summary(Call(lambda y: y * y.mean().item()), (3, 8, 8))
    assert "what they decide is not followed" in decided.notes[1]
    lost = summary(Call(lambda y: torch.tensor(y.tolist())), (3, 8, 8))
    assert lost.notes[-1].startswith("nothing in the output is known to come from the input")
    assert lost.parts[""].receptive_field is None


def test_a_constant_in_a_list_needs_no_real_pass():
    class Held(Call):
        def __init__(self):
            super().__init__()
            self.scales = [torch.ones(4, 1, 1), {"more": torch.ones(1)}]

        def forward(self, x):
            return self.conv(x) * self.scales[0] * self.scales[1]["more"]

    assert summary(Held(), (3, 8, 8)).notes == ()


def test_a_real_pass_leaves_the_generator_and_the_network_alone():
    class Drawing(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, x):
            self.calls += 1
            return x + torch.randn(x.shape) * x.sum().item()

    net = Drawing()
    torch.manual_seed(3)
    before = torch.get_rng_state()
    summary(net, (3, 8, 8))
    assert torch.equal(torch.get_rng_state(), before)
    assert net.calls == 0


class Keeping(Call):
    """Keeps what it has computed, and things that cannot be copied."""

    def __init__(self):
        super().__init__()
        self.acts = []
        self.lock = threading.Lock()
        self.numbers = (n for n in range(3))

    def forward(self, x):
        y = self.conv(x)
        self.acts.append(y)
        return y


def test_a_network_that_keeps_its_activations_counts_after_a_forward():
    net = Keeping()
    net(X)
    kept = net.acts[0]
    assert figures(net, (3, 8, 8)) == CONV
    assert len(net.acts) == 1
    assert net.acts[0] is kept


class Hooked(nn.Module):
    """Reads what its own hook has kept."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.kept = {}
        self.conv.register_forward_hook(self.keep)

    def keep(self, module, args, out):
        self.kept["y"] = out * 2

    def forward(self, x):
        self.conv(x)
        return self.kept["y"]


def test_a_function_made_in_the_network_uses_the_copy():
    class Closing(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3, padding=1, bias=False)
            self.kept = kept = []
            self.act = lambda x: [self.conv(x), kept.append(x)][0]

        def forward(self, x):
            return self.act(x)

    net = Closing()
    counted = summary(net, (3, 8, 8))
    assert [row.name for row in counted.rows if row.macs] == ["conv"]
    assert (counted.params, counted.macs, counted.notes) == (*CONV, ())
    assert net.kept == []


def test_hooks_of_the_network_run_and_those_of_the_caller_do_not():
    net = Hooked()
    assert summary(net, (3, 8, 8)).parts[""].receptive_field == 3
    assert net.kept == {}
    seen = []
    net.conv.register_forward_hook(lambda *args: seen.append(args))
    counted = summary(net, (3, 8, 8))
    assert (counted.params, counted.macs) == CONV
    assert counted.notes == ("run without 1 forward hook of the caller",)
    assert seen == []


def test_weights_outside_every_module_are_told():
    class Listed(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = [nn.Conv2d(3, 4, 3, padding=1)]

        def forward(self, x):
            return self.layers[0](x)

    counted = summary(Listed(), (3, 8, 8))
    assert (counted.params, counted.macs) == (0, CONV[1])
    assert counted.notes[0].startswith("112 weights belong to no registered module")


def test_an_attribute_that_hides_a_method_is_no_obstacle():
    net = Call()
    net.modules = [1]
    assert figures(net, (3, 8, 8)) == CONV


def small() -> nn.Module:
    return nn.Sequential(
        *(nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU()),
        *(nn.Conv2d(4, 2, 3, stride=2, groups=2), nn.Flatten(), nn.Linear(18, 5)),
    ).eval()


LAYERS = [
    ("0", "Conv2d", (3, 3), (1, 1), 108, 6912, 3),
    ("1", "BatchNorm2d", None, None, 8, 0, 3),
    ("3", "Conv2d", (3, 3), (2, 2), 38, 9 * 2 * 18, 5),
    ("5", "Linear", None, None, 95, 90, 9),
]


def layers(counted) -> list[tuple]:
    return [
        (row.name, row.kind, row.kernel, row.stride, row.params, row.macs, row.receptive_field)
        for row in counted.rows
        if row.params
    ]


def test_a_plain_network_is_the_measure_of_those_in_other_clothes():
    assert layers(summary(small(), (3, 8, 8))) == LAYERS


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dress", [torch.jit.script, lambda net: torch.jit.trace(net, X)])
def test_a_scripted_network_has_its_layers(dress):
    counted = summary(dress(small()), (3, 8, 8))
    assert layers(counted) == LAYERS
    assert (counted.params, counted.macs, counted.layers) == (249, 7326, 3)
    assert counted.notes == (f"{REAL}a scripted module cannot be moved to the meta device",)
    assert counted.network == "Sequential"


def test_an_exported_network_has_its_layers():
    exported = torch.export.export(small(), (X,))
    for counted in (summary(exported), summary(exported.module(), (3, 8, 8))):
        assert layers(counted) == LAYERS
        assert (counted.params, counted.macs, counted.layers) == (249, 7326, 3)
        assert len(counted.rows) == 4


def test_a_parallel_network_is_the_one_inside():
    net = small()
    assert summary(nn.DataParallel(net), (3, 8, 8)) == summary(net, (3, 8, 8))


@pytest.mark.full
def test_a_compiled_network_is_the_one_inside():
    net = small()
    assert summary(torch.compile(net), (3, 8, 8)) == summary(net, (3, 8, 8))


@pytest.mark.filterwarnings("ignore")
def test_a_quantised_layer_counts_its_products():
    net = torch.ao.quantization.quantize_dynamic(small(), {nn.Linear})
    counted = summary(net, (3, 8, 8))
    assert (counted.params, counted.macs) == (154, 7326)
    assert counted.notes[1] == "90 quantised weights are packed away, and not among the parameters"


@pytest.mark.filterwarnings("ignore")
def test_a_network_that_works_on_whole_numbers_counts():
    ao = torch.ao.quantization
    net = nn.Sequential(ao.QuantStub(), nn.Conv2d(3, 4, 3, padding=1), ao.DeQuantStub()).eval()
    net.qconfig = ao.get_default_qconfig("fbgemm")
    ao.prepare(net, inplace=True)
    net(X)
    counted = summary(ao.convert(net), (3, 8, 8))
    assert (counted.params, counted.macs, counted.layers) == (0, CONV[1], 1)
    assert "108 quantised weights are packed away, and not among the parameters" in counted.notes


def test_what_is_given_out_bit_by_bit_runs():
    class Yielding(Call):
        def forward(self, x):
            yield self.conv(x)

    counted = summary(Yielding(), (3, 8, 8))
    assert counted.macs == CONV[1]
    assert counted.notes[0].startswith("nothing in the output is known to come from the input")


def test_complex_weights_count():
    assert figures(nn.Linear(4, 3, dtype=torch.complex64), (4,)) == (15, 12)


@pytest.mark.parametrize(
    "prepared",
    [
        lambda conv: prune.l1_unstructured(conv, "weight", 0.5),
        lambda conv: parametrizations.weight_norm(conv),
        lambda conv: parametrizations.spectral_norm(conv),
        lambda conv: nn.utils.spectral_norm(conv),
        lambda conv: prune.random_unstructured(conv, "bias", 1),
    ],
    ids=["pruned", "weight norm", "spectral norm", "old spectral norm", "bias pruned"],
)
def test_a_layer_whose_weight_is_computed_keeps_its_row(prepared):
    net = nn.Sequential(nn.Sequential(prepared(nn.Conv2d(3, 4, 3, padding=1)), nn.ReLU()))
    conv, _ = rows = summary(net, (3, 8, 8)).rows
    plain, _ = summary(
        nn.Sequential(nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU())), (3, 8, 8)
    ).rows
    more = 4 if "original0" in str([name for name, _ in net.named_parameters()]) else 0
    assert conv.to_row() == [*plain.to_row()[:7], 112 + more, *plain.to_row()[8:]]
    assert sum(row.params for row in rows) == summary(net, (3, 8, 8)).params


class Deformed(nn.Module):
    def __init__(self):
        super().__init__()
        self.offset = nn.Conv2d(3, 18, 3, padding=1)
        self.deform = DeformConv2d(3, 4, 3, padding=1)

    def forward(self, x):
        return self.deform(x, self.offset(x))


def test_deformable_convolution_counts_as_the_convolution_that_it_bends():
    counted = summary(Deformed(), (3, 12, 12))
    assert [row.macs for row in counted.rows] == [144 * 18 * 27, 15_552]
    assert counted.rows[1].receptive_field >= 12
    assert counted.layers == 2
    assert counted.uncounted == {}


class Two(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, a, b):
        return self.function(a, b)


@pytest.mark.parametrize(
    ("function", "a", "b", "macs"),
    [
        (nn.Bilinear(3, 4, 5), (7, 3), (7, 4), 7 * 60),
        (torch.dot, (9,), (9,), 9),
        (torch.mv, (6, 9), (9,), 54),
        (lambda a, b: a @ b, (2, 6, 9), (9, 4), 432),
        (
            lambda a, b: torch.addbmm(torch.zeros(6, 4, device=a.device), a, b),
            (2, 6, 9),
            (2, 9, 4),
            432,
        ),
        (
            lambda a, b: F.scaled_dot_product_attention(a, b, b),
            (1, 2, 5, 4),
            (1, 2, 5, 4),
            2 * 2 * 100,
        ),
    ],
    ids=["bilinear", "dot", "matrix and vector", "matmul", "addbmm", "attention"],
)
def test_matrix_products_count(function, a, b, macs):
    given = (torch.zeros(a), torch.zeros(b))
    counted = summary(Two(function), inputs=given)
    assert (counted.macs, counted.uncounted) == (macs, {})
    read = summary(Two(lambda a, b: (function(a, b), a.sum().item())[0]), inputs=given)
    assert (read.macs, read.uncounted) == (macs, {})


def test_work_of_unknown_size_is_listed():
    net = nn.Sequential(Call(), nn.Sequential(Two(None)))
    net[1][0].forward = lambda x: torch.fft.rfft2(x).real
    counted = summary(net, (3, 8, 8))
    assert counted.macs == CONV[1]
    assert counted.uncounted == {"aten._fft_r2c": ("1.0",)}
    assert str(counted).splitlines()[-1] == "not counted: aten._fft_r2c in 1.0"


@pytest.mark.full
def test_a_branch_of_torch_cond_counts_if_it_is_taken():
    class Choosing(Call):
        def forward(self, x):
            return torch.cond(x.sum() > 0, lambda x: self.conv(x).sum(1), lambda x: x[:, 0], (x,))

    assert figures(Choosing(), inputs=X + 1) == CONV
    assert figures(Choosing(), inputs=X - 1) == (CONV[0], 0)


@pytest.mark.parametrize("cell", [nn.LSTM, nn.GRU, nn.RNN])
def test_a_recurrent_layer_is_as_deep_as_its_layers(cell):
    class Reader(Call):
        def __init__(self, *function):
            super().__init__(*function)
            self.read = cell(32, 5, num_layers=2, batch_first=True, bidirectional=True)

        def forward(self, x):
            return self.read(self.function(self.conv(x)).permute(0, 3, 1, 2).flatten(2))[0]

    on_meta, real = summary(Reader(), (3, 8, 8)), summary(Reader(READS["assert"]), (3, 8, 8))
    assert real.notes[0].startswith(REAL)
    assert real.macs == on_meta.macs > CONV[1]
    for counted in (on_meta, real):
        assert (counted.layers, counted.uncounted) == (3, {})
        assert counted.parts[""].receptive_field >= 8


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
