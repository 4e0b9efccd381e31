"""Other people's modules: those that cannot run without numbers, and what they keep."""

import threading

import pytest
import torch
import torch.nn as nn
from anybodys import CONV, READS, REAL, Call, X, figures

from convatlas.anatomy import summary


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
