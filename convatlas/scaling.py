"""Compound scaling (EfficientNet, arXiv:1905.11946, Sec. 3.3): one number, phi, for the depth, the
width and the resolution of a network. Imports nothing but our errors.
"""

from dataclasses import dataclass

from convatlas.errors import InputError

ALPHA = 1.2  # depth, Sec. 4, step 1
BETA = 1.1  # width
GAMMA = 1.15  # resolution
PIXELS = 224  # B0's


@dataclass(frozen=True)
class Coefficients:
    width: float  # times the channels of B0
    depth: float  # times its layers
    resolution: float  # pixels, of the side of the image


@dataclass(frozen=True)
class Scaling:
    """EfficientNet-B`phi`: its coefficients as released, and those of Eq. (3) beside them."""

    phi: int
    network: str  # the catalogue's name: "efficientnet_b3"
    width: float
    depth: float
    resolution: int
    equation: Coefficients  # 1.1^phi, 1.2^phi, 224 * 1.15^phi
    flops: float  # times those of B0, by the equation: (1.2 * 1.1^2 * 1.15^2)^phi, about 2^phi


RELEASED = (  # (width, depth, resolution) of B0 to B7 in the authors' efficientnet_builder.py
    (1.0, 1.0, 224),
    (1.0, 1.1, 240),
    (1.1, 1.2, 260),
    (1.2, 1.4, 300),
    (1.4, 1.8, 380),
    (1.6, 2.2, 456),
    (1.8, 2.6, 528),
    (2.0, 3.1, 600),
)


def scale(phi: int) -> Scaling:
    """The scaling of EfficientNet-B`phi`, for phi = 0 to 7.

    `width`, `depth` and `resolution` (pixels) are those that B0 to B7 were released with; the paper
    prints none of them. `equation` is what its Eq. (3) makes of alpha = 1.2, beta = 1.1 and gamma =
    1.15: the released ones are not its powers for any phi (docs/compound_scaling.md).

    Raises InputError for any other phi.
    """
    if isinstance(phi, bool) or phi not in range(len(RELEASED)):
        raise InputError(
            f"scale: phi is one of 0 to {len(RELEASED) - 1}, for EfficientNet-B0 to "
            f"B{len(RELEASED) - 1}, not {phi!r:.40}; any other is depth {ALPHA} ** phi, width "
            f"{BETA} ** phi and resolution {PIXELS} * {GAMMA} ** phi by the paper's Eq. (3)"
        )
    phi = int(phi)
    width, depth, resolution = RELEASED[phi]
    equation = Coefficients(BETA**phi, ALPHA**phi, PIXELS * GAMMA**phi)
    flops = (ALPHA * BETA**2 * GAMMA**2) ** phi
    return Scaling(phi, f"efficientnet_b{phi}", width, depth, resolution, equation, flops)
