"""Every key and shape of torchvision's networks, from ours: a bijection, on the meta device."""

import re

import pytest
import torch
import torchvision.models as tv

from convatlas.registry import create_model, entries
from convatlas.weights.names import Twin
from convatlas.weights.torchvision import OLDER, TWINS

META = torch.device("meta")
# papers that are not in the atlas
NOT_OURS = re.compile("maxvit|regnet_y_128gf|swin|vit")


def counted_on_the_processor(cls, *given, **named):
    """Their RegNet reads its widths off a tensor, which must hold numbers."""
    with torch.device("cpu"):
        return FROM_INIT_PARAMS(*given, **named)


FROM_INIT_PARAMS = tv.regnet.BlockParams.from_init_params


def theirs(name: str) -> dict[str, torch.Tensor]:
    options = {"init_weights": False} if name in {"googlenet", "inception_v3"} else {}
    with META, pytest.MonkeyPatch.context() as patch:
        widths = classmethod(counted_on_the_processor)
        patch.setattr(tv.regnet.BlockParams, "from_init_params", widths)
        return tv.get_model(name, **options).state_dict()


def ours(name: str) -> dict[str, torch.Tensor]:
    with META:
        return create_model(name).state_dict()


def test_every_classification_network_of_our_papers_is_there():
    assert set(TWINS) == {name for name in tv.list_models(module=tv) if not NOT_OURS.match(name)}
    assert len(TWINS) == 67
    assert {twin.ours for twin in TWINS.values()} <= set(entries())


@pytest.mark.parametrize("name", TWINS)
def test_names_and_shapes_are_a_bijection(name):
    twin, mine = TWINS[name], ours(TWINS[name].ours)
    names = twin.names(mine)
    assert list(names) == list(mine)
    assert {
        names[key]: twin.shape(names[key], tuple(tensor.shape)) for key, tensor in mine.items()
    } == {key: tuple(tensor.shape) for key, tensor in theirs(name).items()}


def test_two_weights_under_one_name_are_refused():
    with pytest.raises(
        ValueError, match=r"two weights of resnet18 would be called layer1\.0\.conv\.weight"
    ):
        Twin("resnet18", ((r"^conv2_x\.0\.branch\.conv\d\.conv", "layer1.0.conv"),)).names(
            ours("resnet18")
        )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "features.denseblock1.denselayer1.norm.1.weight",
            "features.denseblock1.denselayer1.norm1.weight",
        ),
        (
            "features.denseblock4.denselayer16.conv.2.weight",
            "features.denseblock4.denselayer16.conv2.weight",
        ),
        (
            "features.denseblock4.denselayer16.norm.2.running_var",
            "features.denseblock4.denselayer16.norm2.running_var",
        ),
    ],
)
def test_spellings_of_published_densenets(old, new):
    ((pattern, replacement),) = OLDER
    assert re.sub(pattern, replacement, old) == new
    assert re.sub(pattern, replacement, new) == new
    assert new in theirs("densenet121")
