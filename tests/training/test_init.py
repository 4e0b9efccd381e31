"""He's start keeps the size of signals through a network that has nothing else to keep it; all
others stay.
"""

import pytest
import torch

from convatlas import create_model
from convatlas.errors import Error
from convatlas.training import Recipe, train
from convatlas.training.callbacks import Callback
from convatlas.training.init import he_init_network


def relative_spread(net, x) -> float:
    """How much the features of two images differ, as a share of their size."""
    seen = []
    net.fc7.fc.register_forward_hook(lambda module, args, out: seen.append(out.detach()))
    with torch.no_grad():
        net.eval()(x)
    return float((seen[0][0] - seen[0][1]).norm() / seen[0][0].norm())


def test_images_reach_the_end_of_alexnet_which_its_own_start_drowns_in_its_biases():
    torch.manual_seed(0)
    net, x = create_model("alexnet", num_classes=3), torch.randn(2, 3, 224, 224)
    assert relative_spread(net, x) < 0.001
    he_init_network(net)
    net.fc7.fc._forward_hooks.clear()
    assert relative_spread(net, x) > 0.1


def test_its_deviations_are_those_of_equation_10():
    torch.manual_seed(0)
    net = create_model("squeezenet1_1", num_classes=9)
    he_init_network(net)
    for name, fan_in in (("fire5.expand3x3.conv", 32 * 9), ("fire9.squeeze.conv", 512)):
        weight = dict(net.named_modules())[name].weight
        assert weight[0].numel() == fan_in
        assert float(weight.detach().std()) == pytest.approx((2 / fan_in) ** 0.5, rel=0.05)
    assert float(net.classifier.weight.detach().std()) == pytest.approx(0.01, rel=0.1)
    assert all(not bias.any() for name, bias in net.named_parameters() if name.endswith("bias"))


@pytest.mark.parametrize(
    "name", ["resnet20_cifar", "lenet5", "lenet5_tutorial", "shufflenet_v2_x0_5"]
)
def test_networks_with_batch_norm_or_without_relus_stay_as_they_are(name):
    net = create_model(name)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    he_init_network(net)
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())


class Enough(Error):
    """One step is done."""


class FirstLoss(Callback):
    def step(self, progress, loss, rate):
        raise Enough(loss)


def first_loss(folder, **changes) -> float:
    with pytest.raises(Enough) as stopped:
        train(
            Recipe(network="squeezenet1_1", size=33, batch_size=8, **changes),
            folder,
            callback=FirstLoss(),
        )
    return stopped.value.args[0]


def test_a_run_begins_as_its_recipe_says(tmp_path):
    he, again, paper = (
        first_loss(tmp_path / str(i), init=init) for i, init in enumerate(("he", "he", "paper"))
    )
    assert he == again != paper
