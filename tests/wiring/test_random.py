"""Random small networks: in other clothes they are one; changed in one step, they are one only if
they answer alike.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F
from carrying import apart, carry, randomise
from hypothesis import given, settings
from hypothesis import strategies as st
from test_clothes import shuffled

from convatlas.wiring import match, of

SIZE = (8, 6, 6)
WAYS = {  # of a step on one or two maps of eight channels; each written in two ways
    "conv": (lambda m, x, y: m(x), lambda m, x, y: F.conv2d(F.pad(x, (1,) * 4), m.weight, m.bias)),
    "norm": (
        lambda m, x, y: m(x),
        lambda m, x, y: F.batch_norm(x, m.running_mean, m.running_var, m.weight, m.bias, eps=m.eps),
    ),
    "relu": (lambda m, x, y: F.relu(x), lambda m, x, y: x.clamp(min=0)),
    "relu6": (lambda m, x, y: F.relu6(x), lambda m, x, y: F.relu(x).clamp(max=6)),
    "swish": (lambda m, x, y: F.silu(x), lambda m, x, y: x.sigmoid() * x),
    "add": (lambda m, x, y: x + y, lambda m, x, y: torch.add(y, x)),
    "subtract": (lambda m, x, y: x - y, lambda m, x, y: torch.sub(x, y)),
    "multiply": (lambda m, x, y: x * y, lambda m, x, y: torch.mul(y, x)),
    "gate": (
        lambda m, x, y: x * y.mean((2, 3), keepdim=True),
        lambda m, x, y: F.adaptive_avg_pool2d(y, 1).expand_as(x) * x,
    ),
    "halves": (
        lambda m, x, y: torch.cat([x[:, :4], y[:, 4:]], 1),
        lambda m, x, y: torch.cat([*x.split(4, 1)[:1], y.chunk(2, 1)[1]], -3),
    ),
    "shuffle": (lambda m, x, y: shuffled(x, 2), lambda m, x, y: F.channel_shuffle(x, 2)),
    "shuffle of 4": (lambda m, x, y: shuffled(x, 4), lambda m, x, y: F.channel_shuffle(x, 4)),
    "pool": (
        lambda m, x, y: F.max_pool2d(x, 3, 1, 1),
        lambda m, x, y: F.max_pool2d(F.pad(x, (1,) * 4, value=float("-inf")), 3, 1),
    ),
    "mean": (
        lambda m, x, y: F.avg_pool2d(x, 3, 1, 1),
        lambda m, x, y: F.avg_pool2d(F.pad(x, (1,) * 4), 3, 1),
    ),
    "turned": (lambda m, x, y: x.transpose(2, 3), lambda m, x, y: x.permute(0, 1, 3, 2)),
    "last": (
        lambda m, x, y: F.relu(x.permute(0, 2, 3, 1) * 2).permute(0, 3, 1, 2),
        lambda m, x, y: F.relu(x * 2),
    ),
}
MADE = {"conv": lambda: nn.Conv2d(8, 8, 3, padding=1), "norm": lambda: nn.BatchNorm2d(8)}
Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(st.sampled_from(sorted(WAYS)), st.integers(0, 9), st.integers(0, 9)),
    min_size=2, max_size=9,
)  # fmt: skip


class Program(nn.Module):
    """Each step reads two of the values before it and makes one."""

    def __init__(self, steps: list[Step], ways: list[int]):
        super().__init__()
        self.steps = steps
        self.ways = ways
        self.layers = nn.ModuleDict(
            {str(i): MADE[kind]() for i, (kind, _, _) in enumerate(steps) if kind in MADE}
        )

    def forward(self, x):
        values = [x]
        for i, (kind, left, right) in enumerate(self.steps):
            layer = self.layers[str(i)] if kind in MADE else None
            run = WAYS[kind][self.ways[i % len(self.ways)]]
            values.append(run(layer, values[-1 - left % len(values)], values[right % len(values)]))
        return values[-1] + values[-2]


def same(a: nn.Module, b: nn.Module) -> bool:
    """Whether they are called the same; then they do answer alike."""
    found = match(of(a, SIZE), of(b, SIZE))
    if found is None:
        return False
    carry(found, randomise(a), b)
    x = torch.randn(2, *SIZE, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert apart(a, b, x) <= 1e-10
    return True


@settings(max_examples=50, deadline=None, derandomize=True, database=None)
@given(STEPS, st.lists(st.integers(0, 1), min_size=1, max_size=9))
def test_other_clothes(steps, ways):
    assert same(Program(steps, ways), Program(steps, [1 - way for way in ways]))


@settings(max_examples=50, deadline=None, derandomize=True, database=None)
@given(STEPS, st.data())
def test_a_change_is_seen_or_changes_nothing(steps, data):
    place = data.draw(st.integers(0, len(steps) - 1))
    other = data.draw(
        st.tuples(st.sampled_from(sorted(WAYS)), st.integers(0, 9), st.integers(0, 9))
    )
    changed = [other if i == place else step for i, step in enumerate(steps)]
    same(Program(steps, [0]), Program(changed, [1, 0]))
