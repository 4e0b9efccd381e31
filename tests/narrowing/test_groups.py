"""Which filters of the atlas's networks can go, and the proof that nothing else changes."""

import torch
from torch import nn

from convatlas.anatomy import summary
from convatlas.narrowing import proof
from convatlas.narrowing.groups import Anatomy, dissected, fewest
from convatlas.narrowing.surgery import cut, narrowed, require_runs, widths
from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only
from tests.networks import SMALLEST_OF_A_PAPER, first

FEW = (
    *("lenet1989", "lenet5", "lenet5_tutorial", "resnet20_cifar", "squeezenet1_1"),
    *("shufflenet_v2_x0_5", "mobilenet_v3_small_tutorial"),
)
SIDE = 64  # pixels, where a network may have so few
REFUSED = ("lenet1989",)  # its table reads maps by their numbers


def lively(name: str) -> nn.Module:
    """A network of which no norm does nothing."""
    torch.manual_seed(0)
    net = create_model(name, num_classes=7).eval()
    for part in net.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.1)
            part.running_var.uniform_(0.5, 1.5)
    for weight in net.parameters():
        if weight.ndim == 1:
            weight.data.uniform_(0.3, 1)
    return net


def size_of(net) -> tuple[int, int, int]:
    side = max(net.smallest, min(net.side, SIDE))
    return net.in_channels, side, side


def all_at_once(anatomy: Anatomy) -> dict:
    """What stays where every group gives up about half of what it can."""
    keeps: dict = {}
    for group in anatomy.narrowable:
        for place, kept in group.keeps(group.choices[len(group.choices) // 2]).items():
            before = keeps.get(place, kept)
            keeps[place] = kept[torch.isin(kept, before)]
    return keeps


@first(FEW, sorted({*SMALLEST_OF_A_PAPER.values(), *FEW}))
def test_a_network_without_filters_is_the_one_with_these_set_to_zero(name):
    net = lively(name)
    size = size_of(net)
    anatomy = dissected(net, size)
    assert anatomy.macs() == summary(net, size).macs
    assert all(bool(group.reason) == (not group.choices) for group in anatomy.groups)
    assert bool(anatomy.narrowable) == (name not in REFUSED)
    if anatomy.narrowable:
        keeps = all_at_once(anatomy)
        assert proof.error(net, keeps, size) <= proof.LIMIT
        small = cut(net, keeps)
        assert_costs_as_counted(anatomy, small, size)
        assert_is_made_again(name, small, size)


def assert_costs_as_counted(anatomy: Anatomy, small: nn.Module, size) -> None:
    shapes = {key: tuple(tensor.shape) for key, tensor in small.state_dict().items()}
    assert anatomy.macs(shapes) == summary(small, size).macs < anatomy.macs()
    assert dissected(small, size).macs() == anatomy.macs(shapes)


def assert_is_made_again(name: str, small: nn.Module, size) -> None:
    """From the shapes of its tensors alone."""
    with shapes_only():
        again = create_model(name, num_classes=7)
    changed = widths(small, again)
    assert changed
    narrowed(again, changed)
    require_runs(again, size)
    again.load_state_dict(small.state_dict(), assign=True)
    x = torch.randn(2, *size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert torch.equal(again.eval()(x), small(x))


def reasons(name: str) -> dict[str, str]:
    net = create_model(name)
    return {group.name: group.reason for group in dissected(net, net.input_size).groups}


def test_layers_that_cannot_be_narrowed_say_the_function_that_stands_in_the_way():
    assert reasons("lenet1989") == {"H1.layer": "conv2d", "output.layer": "the classes"}
    found = reasons("convnext_isotropic_small")
    assert found["stem"] == "layer_norm"
    assert found["fc"] == "the classes"


def test_a_zero_in_the_filters_alone_is_no_proof():
    """sigmoid(0) is a half: the columns that read it must be zero, too."""
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Sigmoid(), nn.Flatten(), nn.Linear(8 * 36, 4))
    anatomy = dissected(net, (3, 8, 8))
    (conv, classifier) = anatomy.groups
    assert classifier.reason == "the classes"
    keeps = conv.keeps(3)
    assert proof.error(net, keeps, (3, 8, 8)) <= proof.LIMIT
    del keeps["3.weight", 1]
    assert proof.error(net, keeps, (3, 8, 8)) == float("inf")


class Fixed(nn.Module):
    """Cuts its channels at a fixed place, and says so only in Python."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, padding=1)
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        x = self.conv(x)
        return self.fc((x[:, :4] + x[:, -4:]).mean((2, 3)))


def test_channels_that_are_picked_by_their_places_stay():
    (conv, _) = dissected(Fixed(), (1, 8, 8)).groups
    assert conv.reason == "getitem"


class Unheard(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(1, 8, 3), nn.Linear(8, 2)

    def forward(self, x):
        return self.fc(self.conv(x).mean((2, 3)).cumsum(1))


def test_an_unknown_function_fixes_what_it_reads():
    (conv, _) = dissected(Unheard(), (1, 8, 8)).groups
    assert conv.reason == "cumsum"


def test_the_filters_of_least_norm_go_first_and_eight_at_a_time_of_many():
    net = nn.Sequential(nn.Conv2d(1, 64, 1), nn.Flatten(), nn.Linear(64, 4))
    net[0].weight.data = torch.arange(64.0, 0, -1).view(64, 1, 1, 1)
    conv = dissected(net, (1, 1, 1)).groups[0]
    assert [conv.filters[gone] for gone in conv.choices] == [56, 48, 40, 32, 24, 16, 8]
    kept = conv.keeps(8)["0.weight", 0]
    assert kept.tolist() == list(range(56))


def test_as_few_filters_go_as_the_target_allows():
    net = nn.Sequential(nn.Conv2d(1, 10, 1), nn.Flatten(), nn.Linear(10, 4))
    anatomy = dissected(net, (1, 1, 1))
    conv = anatomy.groups[0]
    assert anatomy.macs() == 50
    assert fewest(conv, anatomy.macs, anatomy.shapes, 40) == 2
    assert fewest(conv, anatomy.macs, anatomy.shapes, 39) == 3
    assert fewest(conv, anatomy.macs, anatomy.shapes, 10) == 8  # two filters stay
    assert fewest(conv, anatomy.macs, anatomy.shapes, 9) is None
