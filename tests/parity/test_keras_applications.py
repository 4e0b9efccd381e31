"""Our networks with Keras's weights, against Keras's graphs written in plain functions
(keras_graphs.py): biases in front of norms, other epsilons, pools that begin elsewhere. In double
precision, at sides that are even and odd.
"""

import keras_graphs
import pytest
import torch

from convatlas import create_model
from convatlas.weights.keras_networks import TWINS
from convatlas.weights.known import COUNTER
from convatlas.weights.names import Twin
from convatlas.weights.translating import taken, translated

CLASSES = 11


def filled(twin: Twin, variables: dict[str, torch.Tensor]) -> torch.nn.Module:
    """Our network with these variables; all have a place in it, and it has none beside them."""
    net = create_model(twin.ours, num_classes=CLASSES).double().eval()
    state = net.state_dict()
    keys = [key for key in twin.names(state) if not key.endswith(COUNTER)]
    wanted = twin.shapes({key: state[key].shape for key in keys})
    assert wanted == {name: tuple(tensor.shape) for name, tensor in variables.items()}
    net.load_state_dict({key: taken(twin, key, variables) for key in keys}, strict=False)
    return net


@pytest.mark.parametrize(
    ("theirs", "graph", "epsilon", "flipped", "sizes"),
    [
        ("Xception", keras_graphs.xception, 1e-3, False, ((78, 49), (64, 75))),
        pytest.param(
            *("ResNet50", keras_graphs.resnet50, 1.001e-5, True, ((64, 47),)),
            marks=pytest.mark.full,
        ),
    ],
)
@torch.no_grad()
def test_the_answer_is_keras_s(theirs, graph, epsilon, flipped, sizes):
    """ResNet50 reads blue first there."""
    model = keras_graphs.Model(epsilon)
    draws = torch.Generator().manual_seed(1)
    images = [torch.randn(2, 3, *size, generator=draws, dtype=torch.float64) for size in sizes]
    expected = [graph(model, x.flip(1) if flipped else x, CLASSES) for x in images]
    net = filled(TWINS[theirs], model.variables)
    for x, answer in zip(images, expected, strict=True):
        assert answer.std(0).min() > 0
        assert (net(x) - answer).abs().max() <= 1e-10 * answer.abs().max()


def test_written_back_the_biases_are_zero_and_the_norms_answer_alike():
    """Mean less bias, and variance plus epsilon, are what an answer depends on."""
    twin = TWINS["ResNet50"]
    torch.manual_seed(0)
    held = {
        "conv1_conv/bias": torch.randn(64, dtype=torch.float64),
        "conv1_bn/moving_mean": torch.randn(64, dtype=torch.float64),
        "conv1_bn/moving_variance": torch.rand(64, dtype=torch.float64),
    }
    keys = ("conv1.conv.bn.running_mean", "conv1.conv.bn.running_var")
    ours = {key: taken(twin, key, held) for key in keys}
    again = translated(twin, ours)
    assert not again["conv1_conv/bias"].any()
    torch.testing.assert_close(
        again["conv1_bn/moving_mean"], held["conv1_bn/moving_mean"] - held["conv1_conv/bias"]
    )
    torch.testing.assert_close(again["conv1_bn/moving_variance"], held["conv1_bn/moving_variance"])
