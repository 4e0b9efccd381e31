"""MultiCrop through a network: from files larger than the crop, softmax averaged, the same for any
batch and workers.
"""

import numpy as np
import pytest
import torch
from PIL import Image

from convatlas.data import Loader, Preprocess, open_data
from convatlas.errors import DataError, MultiCropError
from convatlas.evaluation import MultiCrop, evaluate, require_multi_crop
from convatlas.evaluation.measure import _in_views

PREP = Preprocess(3, 16, (0.4, 0.5, 0.6), (0.2, 0.25, 0.3), "resize", 16)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Three classes of colour images of several sizes, all larger than 16 pixels."""
    root, dice = tmp_path_factory.mktemp("views"), np.random.default_rng(0)
    for name in ("a", "b", "c"):
        (root / name).mkdir()
        for i in range(6):
            pixels = dice.integers(0, 256, (20 + 3 * i, 41 - 2 * i, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / name / f"{i}.png")
    return open_data(root).train


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    layers = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 5, stride=3),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(8, 3),
        torch.nn.Dropout(0.5),
    )
    layers.largest = None
    with torch.no_grad():
        layers[4].weight.mul_(20)
    return layers


def loader_of(split, batch_size=256, workers=0):
    return Loader(split, PREP, batch_size, workers=workers, memory_limit=0)


WAYS = [
    MultiCrop("center", (20, 24)),
    MultiCrop("10"),
    MultiCrop("10", (18, 30)),
    MultiCrop("144"),
    MultiCrop("dense", (16, 24, 40)),
]


@pytest.mark.parametrize("views", WAYS, ids=str)
def test_answers_are_the_mean_of_the_softmax_over_all_views(images, net, views):
    """Each view through the network alone, averaged by hand, for every image of the set."""
    with torch.inference_mode():
        net.eval()
        found = torch.cat([logits for _, logits, _ in _in_views(net, loader_of(images), views)])
        for i, answer in enumerate(found):
            alone = [
                net(PREP.normalise(view[None]))
                for stack in views.of(images.read(i), 16)
                for view in stack
            ]
            by_hand = torch.cat(alone).double().softmax(1).mean(0)
            assert torch.allclose(answer.exp(), by_hand, rtol=1e-5)
    labels = images.labels
    counted = evaluate(net, loader_of(images), 3, views=views)
    assert counted.correct == int((found.argmax(1) == labels).sum())
    assert counted.loss == pytest.approx(
        float(torch.nn.functional.cross_entropy(found, labels)), rel=1e-5
    )


@pytest.mark.parametrize("views", WAYS, ids=str)
def test_the_same_counts_for_any_batch_size_and_number_of_workers(images, net, views):
    first = evaluate(net, loader_of(images), 3, views=views)
    for batch_size, workers in ((1, 0), (7, 0), (33, 2)):
        again = evaluate(net, loader_of(images, batch_size, workers), 3, views=views)
        assert torch.equal(again.confusion, first.confusion)
        assert again.loss == pytest.approx(first.loss, rel=1e-5)


def test_the_centre_view_without_sizes_is_the_image_as_it_was_trained(images, net):
    plain, centre = (
        evaluate(net, loader_of(images), 3),
        evaluate(net, loader_of(images), 3, views=MultiCrop()),
    )
    assert plain.to_dict() == centre.to_dict()
    assert plain.loss != evaluate(net, loader_of(images), 3, views=MultiCrop("10")).loss


def test_grey_images_are_shown_to_a_network_of_three_channels_and_the_reverse(net, tmp_path):
    for name, mode in (("x", "L"), ("y", "RGB"), ("z", "L")):
        (tmp_path / name).mkdir()
        for i in range(4):
            Image.new(mode, (30, 24), 40 * i if mode == "L" else (40 * i,) * 3).save(
                tmp_path / name / f"{i}.png"
            )
    assert evaluate(net, loader_of(open_data(tmp_path).test), 3, views=MultiCrop("10")).count == 3


def test_a_broken_image_is_named(net, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for i in range(4):
            Image.new("RGB", (20, 20), (60 * i, 0, 0)).save(tmp_path / name / f"{i}.png")
    test = open_data(tmp_path).test
    (tmp_path / test.names[1]).write_bytes(b"")
    with pytest.raises(DataError, match=test.names[1]):
        evaluate(net, loader_of(test), 2, views=MultiCrop("10"))


def test_views_that_do_not_fit_are_refused_before_a_image_is_read(net):
    with pytest.raises(MultiCropError, match="give sizes of 16 or more"):
        require_multi_crop(net, 16, MultiCrop("10", (12,)))
    require_multi_crop(net, 16, MultiCrop())
