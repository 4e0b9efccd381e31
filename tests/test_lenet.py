"""The parts that only the LeNets have: connection tables, trained subsampling, unshared biases,
drawn output codes.
"""

from itertools import combinations, pairwise

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from convatlas.nets.lenet5 import RBF, S2_TO_C3, codes
from convatlas.nets.lenet1989 import H2_TO_H3, Squash, Subsampling, TableConv2d, uniform_by_fan_in
from convatlas.nets.lenet1989_zip import H1_TO_H2, bordered
from convatlas.registry import create_model


def dense(layer: TableConv2d, c_in: int) -> torch.Tensor:
    """The weight of the full convolution with zeros where the table has no X, kernel by kernel."""
    weight, kernels = torch.zeros(len(layer.table), c_in, 5, 5), iter(layer.weight)
    for m, sources in enumerate(layer.table):
        for source in sources:
            weight[m, source] = next(kernels)
    return weight


def filled(layer: torch.nn.Module) -> torch.nn.Module:
    torch.manual_seed(0)
    for p in layer.parameters():
        torch.nn.init.normal_(p)
    return layer.double().requires_grad_(False)


@pytest.mark.parametrize(
    ("table", "c_in"), [(S2_TO_C3, 6), (H2_TO_H3, 4), (H1_TO_H2, 12), (((0, 1),) * 3, 2)]
)
def test_a_table_is_a_full_convolution_with_zeros(table, c_in):
    layer = filled(TableConv2d(table))
    x = torch.randn(2, c_in, 14, 14, dtype=torch.double)
    expected = F.conv2d(x, dense(layer, c_in).double(), layer.bias.flatten())
    torch.testing.assert_close(layer.train()(x), expected)
    torch.testing.assert_close(layer.eval()(x), expected)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.sets(st.integers(0, 4), min_size=1).map(lambda s: tuple(sorted(s))),
        min_size=1,
        max_size=8,
    ),
    st.integers(1, 3),
)
def test_any_table_is_a_full_convolution_with_zeros(table, stride):
    layer = filled(TableConv2d(tuple(table), stride=stride))
    x = torch.randn(1, 5, 9, 11, dtype=torch.double)
    expected = F.conv2d(x, dense(layer, 5).double(), layer.bias.flatten(), stride)
    torch.testing.assert_close(layer.train()(x), expected)
    torch.testing.assert_close(layer.eval()(x), expected)


def test_table_of_1998_as_printed():
    """Three neighbours, then four, then four that are not all neighbours, then all six; 60 kernels
    in all.
    """

    def neighbours(sources):
        return any(
            set(sources) == {(start + i) % 6 for i in range(len(sources))} for start in range(6)
        )

    assert [len(sources) for sources in S2_TO_C3] == [3] * 6 + [4] * 9 + [6]
    assert sum(map(len, S2_TO_C3)) == 60
    assert [neighbours(sources) for sources in S2_TO_C3] == [True] * 12 + [False] * 3 + [True]
    assert len(set(S2_TO_C3)) == 16
    assert [sum(s in sources for sources in S2_TO_C3) for s in range(6)] == [
        10
    ] * 6  # X's in each row of Table I


def test_tables_of_1989():
    assert sum(map(len, H2_TO_H3)) == 20  # two almost independent halves
    assert {s for sources in H2_TO_H3[:6] for s in sources} == {0, 1}
    assert {s for sources in H2_TO_H3[6:] for s in sources} == {2, 3}
    assert [len(set(sources)) for sources in H1_TO_H2] == [8] * 12
    assert [sum(s in sources for sources in H1_TO_H2) for s in range(12)] == [8] * 12


def test_subsampling_by_hand():
    layer = Subsampling(2)
    with torch.no_grad():
        layer.coefficient[:] = torch.tensor([0.5, -2.0])[:, None, None]
        layer.bias[:] = torch.tensor([1.0, 3.0])[:, None, None]
    x = torch.arange(16.0).reshape(1, 1, 4, 4).repeat(1, 2, 1, 1)  # patches sum to 10, 18, 42, 50
    torch.testing.assert_close(layer(x)[0, 0], torch.tensor([[6.0, 10.0], [22.0, 26.0]]))
    torch.testing.assert_close(layer(x)[0, 1], torch.tensor([[-17.0, -33.0], [-81.0, -97.0]]))
    assert (layer.kernel_size, layer.stride) == (2, 2)
    assert layer(torch.zeros(1, 2, 5, 5)).shape == (1, 2, 2, 2)


def test_squash_keeps_plus_and_minus_one():
    values = Squash()(torch.tensor([-1.0, 0.0, 1.0, 100.0]))
    torch.testing.assert_close(values, torch.tensor([-1.0, 0.0, 1.0, 1.7159]), rtol=0, atol=2e-5)
    at = torch.linspace(0.5, 1.5, 1001, dtype=torch.double, requires_grad=True)
    (slope,) = torch.autograd.grad(Squash()(at).sum(), at, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), at)
    assert at[curvature.argmin()].item() == pytest.approx(
        1, abs=0.02
    )  # Appendix A: |f''| is largest at 1


@pytest.mark.parametrize("classes", [1, 7, 10, 100])
def test_rbf_is_minus_the_squared_distance(classes):
    layer = RBF(classes)
    x = 1.7159 * torch.tanh(torch.randn(32, 84))
    x[0] = layer.codes[0]  # a perfect drawing: penalty 0, after cancelling
    explicit = -(x[:, None].double() - layer.codes.double()).square().sum(2)
    torch.testing.assert_close(layer(x).double(), explicit, rtol=1e-5, atol=1e-4)
    assert layer(x)[0, 0].abs() < 1e-4
    assert list(layer.parameters()) == []
    assert "codes" in layer.state_dict()


def test_digits_are_drawn_and_distinct():
    digits = codes(10)
    assert {len(code) for code in digits} == {7 * 12}
    assert {component for code in digits for component in code} == {-1.0, 1.0}
    apart = {
        (i, j): sum(a != b for a, b in zip(digits[i], digits[j], strict=True))
        for i, j in combinations(range(10), 2)
    }
    assert min(apart.values()) == apart[5, 6] == 11  # of 84: 5 and 6 look most alike
    one = [digits[1][7 * row : 7 * row + 7] for row in range(12)]
    assert all(row[3:5] == [1.0, 1.0] for row in one[1:-1])  # a 1 has its stem in the middle
    assert all(a == b for a, b in pairwise(row[:7] for row in one[4:9]))


def test_codes_of_other_class_counts_are_random_but_fixed():
    many = codes(100)
    assert many == codes(100)
    assert (
        min(sum(a != b for a, b in zip(x, y, strict=True)) for x, y in combinations(many, 2)) == 24
    )
    assert torch.tensor(many).mean().abs() < 0.05
    net = create_model("lenet5")
    net.reset_classifier(26)
    assert net.output.codes.tolist() == codes(26)
    assert net(torch.zeros(2, 1, 32, 32)).shape == (2, 26)


def test_biases_of_the_zip_code_network():
    net = create_model("lenet1989_zip")
    assert net.H1.layer.bias.numel() == 768
    assert net.H2.layer.bias.numel() == 192
    assert net.H1.layer.weight.shape == (12, 5, 5)
    assert net.H2.layer.weight.shape == (96, 5, 5)
    with torch.no_grad():  # a bias moves its own unit and no other
        before = net.H1(torch.zeros(1, 1, 16, 16))
        net.H1.layer.bias[3, 2, 5] += 1
        moved = (net.H1(torch.zeros(1, 1, 16, 16)) != before).nonzero().tolist()
    assert moved == [[0, 3, 2, 5]]


def test_beyond_the_border_is_background():
    """An image that is all background, -1, looks the same in the middle of a map and at its rim."""
    layer = bordered(((0,),), side=8)
    torch.nn.init.normal_(layer.layer.weight)
    maps = layer(torch.full((1, 1, 16, 16), -1.0))
    torch.testing.assert_close(maps, maps[..., 4:5, 4:5].expand_as(maps))
    assert not torch.allclose(
        layer(torch.zeros(1, 1, 16, 16))[..., 0, 0], layer(torch.zeros(1, 1, 16, 16))[..., 4, 4]
    )


@pytest.mark.parametrize("name", ["lenet1989", "lenet1989_zip", "lenet5"])
def test_initial_weights_lie_within_the_fan_in_bound(name):
    torch.manual_seed(0)
    net = create_model(name)
    for module in net.modules():
        if isinstance(module, TableConv2d):
            fan_ins = [len(sources) for sources in module.table]
            bounds = [
                (kernel, 2.4 / (25 * fan_in))
                for kernel, fan_in in zip(module.weight.split(fan_ins), fan_ins, strict=True)
            ]
        elif isinstance(module, Subsampling):
            bounds = [(module.coefficient, 0.6)]
        elif isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
            bounds = [(module.weight, 2.4 / module.weight[0].numel())]
        else:
            continue
        for weight, bound in bounds:
            assert 0.5 * bound < weight.abs().max() <= bound
    layer = torch.nn.Linear(24, 500)
    uniform_by_fan_in(layer)
    assert layer.weight.std().item() == pytest.approx(0.1 / 3**0.5, rel=0.02)  # U(-0.1, 0.1)
