"""Policies: the tables as printed, every operation as torchvision does it, every one met as often
as it should.
"""

from collections import Counter

import numpy as np
import pytest
import torch
from torchvision.transforms import AutoAugmentPolicy, InterpolationMode, v2

from convatlas.data import policies
from convatlas.data.keyed_random import draws
from convatlas.data.policies import CIFAR, IMAGENET, USUAL, WIDE, applied, sub_policies

IMAGE = torch.from_numpy(np.random.default_rng(3).integers(0, 256, (3, 21, 21), dtype=np.uint8))


@pytest.mark.parametrize(
    ("table", "policy"),
    [(IMAGENET, AutoAugmentPolicy.IMAGENET), (CIFAR, AutoAugmentPolicy.CIFAR10)],
)
def test_the_sub_policies_are_torchvisions(table, policy):
    """Which leaves out the magnitudes of operations that have none."""
    theirs = v2.AutoAugment(policy)._policies
    ours = sub_policies(table)
    assert len(ours) == 25
    for one, other in zip(ours, theirs, strict=True):
        assert [(name, p) for name, p, _ in one] == [(name, p) for name, p, _ in other]
        assert all(
            m is None or m == mine for (_, _, mine), (_, _, m) in zip(one, other, strict=True)
        )


@pytest.mark.parametrize(
    ("theirs", "reach", "levels"),
    [
        (v2.RandAugment(), USUAL, 31),
        (v2.TrivialAugmentWide(), WIDE, 31),
        (v2.AutoAugment(), USUAL, 10),
    ],
)
def test_every_operation_at_every_level_is_torchvisions(theirs, reach, levels):
    for name, (magnitudes, signed) in theirs._AUGMENTATION_SPACE.items():
        values = magnitudes(levels, *IMAGE.shape[1:])
        for level in range(0, levels, 3):
            for sign in (0.1, 0.9) if signed else (0.5,):
                value = 0.0 if values is None else float(values[level]) * (-1 if sign < 0.5 else 1)
                expected = theirs._apply_image_or_video_transform(
                    IMAGE, name, value, InterpolationMode.NEAREST, theirs._fill
                )
                assert torch.equal(applied(IMAGE, name, level, levels, sign, reach), expected), (
                    name,
                    level,
                )


def test_the_operations_are_those_of_randaugment_and_trivialaugment():
    for theirs in (v2.RandAugment(), v2.TrivialAugmentWide()):
        assert set(theirs._AUGMENTATION_SPACE) == set(policies.OPERATIONS)


@pytest.fixture
def met(monkeypatch):
    """What a policy asked for, in order, without doing it."""
    asked = []

    def note(image, name, level, levels, sign, reach):
        asked.append((name, level, levels, sign >= 0.5))
        return image

    monkeypatch.setattr(policies, "applied", note)
    return asked


def test_randaugment_takes_two_of_fourteen_at_magnitude_nine(met):
    for u in draws(0, 0, range(7000), 6):
        policies.randaugment(IMAGE, u)
    assert len(met) == 14_000
    assert {(level, levels) for _, level, levels, _ in met} == {(9, 31)}
    counts = Counter(name for name, *_ in met)
    assert set(counts) == set(policies.OPERATIONS)
    assert all(abs(count - 1000) < 5 * np.sqrt(1000) for count in counts.values())
    assert np.mean([plus for *_, plus in met]) == pytest.approx(0.5, abs=0.02)


def test_trivialaugment_takes_one_of_any_strength(met):
    for u in draws(0, 0, range(6200), 6):
        policies.trivialaugment(IMAGE, u)
    levels = np.bincount([level for _, level, _, _ in met], minlength=31)
    assert len(met) == 6200 and len(levels) == 31
    assert np.abs(levels - 200).max() < 5 * np.sqrt(200)


@pytest.mark.parametrize(
    ("policy", "table"), [(policies.autoaugment, IMAGENET), (policies.autoaugment_cifar, CIFAR)]
)
def test_autoaugment_takes_each_operation_with_its_probability(met, policy, table):
    n = 10_000
    for u in draws(0, 0, range(n), 6):
        policy(IMAGE, u)
    expected = Counter()
    for steps in sub_policies(table):
        for name, probability, level in steps:
            expected[name, level] += n / 25 * probability
    counts = Counter((name, level) for name, level, *_ in met)
    assert set(counts) == {key for key, value in expected.items() if value}
    for key, value in expected.items():
        assert abs(counts[key] - value) < 5 * np.sqrt(value + 1), key


@pytest.mark.parametrize("name", policies.POLICIES)
def test_grey_images_go_through_too(name):
    grey = IMAGE[:1]
    for u in draws(0, 0, range(60), 6):
        done = policies.POLICIES[name](grey, u)
        assert (done.dtype, done.shape) == (torch.uint8, grey.shape)
