"""Colour noise along the published components, and jitter through torchvision's kernels."""

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as kernels

from convatlas.data import Augment
from convatlas.data.augment import COLUMNS
from convatlas.data.colours import EIGENVALUES, EIGENVECTORS, ORDERS, jittered, pca_noise
from convatlas.data.keyed_random import draws

ONE_SIGMA = 0.8413447460685429  # the normal distribution function of 1


def noise(n: int = 1, side: int = 9, c: int = 3) -> torch.Tensor:
    return torch.from_numpy(
        np.random.default_rng(0).integers(0, 256, (n, c, side, side), dtype=np.uint8)
    )


def test_the_components_are_a_basis():
    basis = np.array(EIGENVECTORS)
    assert basis.T @ basis == pytest.approx(np.eye(3), abs=2e-4)  # four digits are published
    assert sum(EIGENVALUES) == pytest.approx(3 * 0.283**2, abs=1e-3)


def test_noise_of_one_sigma_along_each_component():
    x = noise()
    for component in range(3):
        u = np.full((1, 3), 0.5)
        u[0, component] = ONE_SIGMA
        shift = (pca_noise(x, u, 0.1) - x.float())[0]
        expected = 255 * 0.1 * EIGENVALUES[component] * np.array(EIGENVECTORS)[:, component]
        assert (
            shift - torch.tensor(expected, dtype=torch.float32)[:, None, None]
        ).abs().max() < 1e-4


def test_shifts_have_the_covariance_they_stand_for():
    """Of many images: sigma squared times V diag(lambda squared) V^T, for each gets alpha times
    lambda.
    """
    u = draws(0, 0, range(40_000), 3)
    shifts = (pca_noise(torch.zeros(40_000, 3, 1, 1), u, 0.1) / 255).double().flatten(1).numpy()
    basis = np.array(EIGENVECTORS)
    expected = 0.01 * basis @ np.diag(np.square(EIGENVALUES)) @ basis.T
    assert np.abs(np.cov(shifts.T) - expected).max() < 0.02 * expected.max()
    assert np.abs(shifts.mean(0)).max() < 4 * np.sqrt(expected.max() / 40_000)


def test_the_rarest_draw_is_finite():
    assert torch.isfinite(pca_noise(noise(), np.zeros((1, 3)), 0.1)).all()


def test_jitter_is_the_kernels_in_the_drawn_order():
    x = noise()[0]
    for number, order in enumerate(ORDERS):
        u = np.array([0.9, 0.25, 0.1, (number + 0.5) / 6])
        factors = dict(
            zip(
                ("brightness", "contrast", "saturation"),
                (1 + 0.4 * 0.8, 1 - 0.4 * 0.5, 1 - 0.4 * 0.8),
                strict=True,
            )
        )
        expected = x
        for name in order:
            expected = getattr(kernels, f"adjust_{name}")(expected, factors[name])
        assert torch.equal(jittered(x, u, 0.4), expected)
    middle = jittered(x, np.full(4, 0.5), 0.4)
    assert (middle.int() - x.int()).abs().max() <= 1


def test_grey_images_have_no_saturation():
    x = noise(c=1)[0]
    u = np.array([0.5, 0.5, 0.9, 0.0])
    assert (jittered(x, u, 0.4).int() - x.int()).abs().max() <= 1


def test_a_image_does_not_depend_on_its_batch():
    augment = Augment(color_jitter=0.4, lighting=0.1, auto_augment="randaugment")
    x, u = noise(5), draws(0, 0, range(5), len(COLUMNS))
    together = augment.apply(x, u)
    for i in range(5):
        assert torch.equal(augment.apply(x[i : i + 1], u[i : i + 1])[0], together[i])
