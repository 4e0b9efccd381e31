"""Colours changed at random: AlexNet's noise along the principal components, and brightness,
contrast, saturation.
"""

from itertools import permutations
from statistics import NormalDist

import numpy as np
import torch
from torch import Tensor

# Of the covariance of ImageNet's RGB pixels in 0..1, as Facebook's fb.resnet.torch published them
# (column: component). Their sum, 0.2408, is three channels of standard deviation 0.283.
EIGENVALUES = (0.2175, 0.0188, 0.0045)
EIGENVECTORS = ((-0.5675, 0.7192, 0.4009), (-0.5808, -0.0045, -0.8140), (-0.5836, -0.6948, 0.4203))
ORDERS = tuple(permutations(("brightness", "contrast", "saturation")))


def pca_noise(images: Tensor, draws: np.ndarray, sigma: float) -> Tensor:
    """(N, 3, H, W) in 0..255 -> float32; each image gets one shift of all its pixels. draws:
    uniform, (N, 3).

    Krizhevsky et al. 2012, Sec. 4.1: the sum of the eigenvectors, each times its eigenvalue and
    times a Gaussian of standard deviation `sigma` that is drawn anew whenever the image is used.
    """
    normal = NormalDist()
    alpha = (
        np.array([[normal.inv_cdf(max(u, 2.0**-54)) for u in row] for row in draws.tolist()])
        * sigma
    )
    shift = (alpha * EIGENVALUES) @ np.array(EIGENVECTORS).T
    return images.float() + torch.from_numpy((255 * shift).astype(np.float32))[:, :, None, None]


def jittered(image: Tensor, u: np.ndarray, strength: float) -> Tensor:
    """uint8 (C, H, W): brightness, contrast and saturation times 1 - strength to 1 + strength, in
    any order.

    u: three factors and the order, uniform in [0, 1).
    """
    from torchvision.transforms.v2 import functional as kernels

    change = {
        "brightness": (kernels.adjust_brightness, u[0]),
        "contrast": (kernels.adjust_contrast, u[1]),
        "saturation": (kernels.adjust_saturation, u[2]),
    }
    for name in ORDERS[int(u[3] * len(ORDERS))]:
        kernel, draw = change[name]
        image = kernel(image, max(0.0, 1 + strength * (2 * draw - 1)))
    return image
