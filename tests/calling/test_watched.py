"""How a module is called to be looked at: what a watcher is shown, and what stays as it was."""

import pytest
import torch
import torch.nn as nn
from torch.utils._python_dispatch import TorchDispatchMode

from convatlas.calling import given, tensors_in, watched


class Seeing(TorchDispatchMode):
    """Keeps the copy, what it was started with, and on which devices it worked."""

    where = "here"

    def __init__(self, twin: nn.Module):
        super().__init__()
        self.twin = twin
        self.devices = set()

    def start(self, values) -> None:
        self.args, self.kwargs = values

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        self.devices |= {t.device.type for t in tensors_in(out)}
        return out


class Reading(nn.Module):
    def forward(self, x, times=1.0):
        return x * float(x.mean()) * times


def test_a_pass_needs_no_numbers_where_none_are_read():
    net = nn.Sequential(nn.Linear(3, 2), nn.Dropout())
    seen, notes = watched(net, given(net, (3,)), Seeing)
    assert (seen.devices, notes) == ({"meta"}, ())
    assert seen.args[0].shape == (1, 3)
    assert not seen.twin.training
    assert net.training
    assert net[0].weight.device.type == "cpu"


def test_a_real_pass_is_on_a_copy_with_the_same_numbers():
    net = nn.Sequential(nn.Linear(3, 2), Reading()).double()
    seen, notes = watched(net, given(net, (3,)), Seeing)
    assert seen.devices == {"cpu"}
    assert len(notes) == 1
    assert torch.equal(seen.twin[0].weight, net[0].weight)
    assert seen.twin[0].weight is not net[0].weight
    assert seen.args[0].dtype == torch.float64


def test_the_picture_of_a_size_is_always_the_same():
    first, again = (
        watched(Reading(), given(nn.Identity(), (3, 4, 4)), Seeing)[0] for _ in range(2)
    )
    assert torch.equal(first.args[0], again.args[0])
    assert 0 <= float(first.args[0].min()) < float(first.args[0].max()) < 1


def test_tensors_that_are_given_are_copied():
    x = torch.ones(2, 3)
    seen, _ = watched(Reading(), given(nn.Identity(), inputs={"x": x, "times": 2.0}), Seeing)
    assert torch.equal(seen.kwargs["x"], x)
    assert seen.kwargs["x"] is not x
    assert seen.kwargs["times"] == 2.0


def test_a_failure_says_where_the_watcher_was():
    with pytest.raises(ValueError, match=r"^Linear does not run on the input 1x5 at here: "):
        watched(nn.Linear(3, 2), given(nn.Identity(), inputs=torch.ones(1, 5)), Seeing)


@pytest.mark.parametrize(
    ("asked", "called", "text"),
    [
        ({"input_size": (3, 8, 8)}, "input 3x8x8", "an input of 3x8x8"),
        ({"input_size": [(3, 8, 8), [5]]}, "inputs 3x8x8 and 5", "inputs of 3x8x8 and 5"),
        ({"inputs": torch.ones(1, 5)}, "input 1x5", "the input 1x5"),
        ({"inputs": ([torch.ones(2), 3], torch.ones(()))}, "inputs 2 and a number", None),
        ({"inputs": {"x": torch.ones(2), "n": 3}}, "input x 2", "the input x 2"),
        ({"inputs": ()}, "input without a tensor", "the input without a tensor"),
    ],
)
def test_what_is_given_is_told(asked, called, text):
    told = given(nn.Identity(), **asked)
    assert told.called == called
    assert told.text == (text or f"the {called}")


@pytest.mark.parametrize("size", [(), 0, 224, "224", (3, 0, 8), (3, None), [(3, 8), ()], (3, "x")])
def test_what_is_no_size_is_refused(size):
    with pytest.raises(ValueError, match=r"input size|is no size"):
        given(nn.Identity(), size)


def test_a_loop_of_lists_ends():
    loop = [torch.ones(1)]
    loop.append(loop)
    assert len(list(tensors_in(loop))) == 1
