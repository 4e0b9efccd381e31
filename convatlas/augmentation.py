"""What may be done to training images: each setting once, with its default, its help and its rule.

Recipes and flags have these fields; data/augment.py does what they say. Imports no torch.
"""

from dataclasses import dataclass

from convatlas.settings import Settings, between, pair_up_to, setting

LARGEST = 8192  # pixels of a side: three channels of floats are 800 MB
SHORTER = {
    "allowed": f"one value or two, the smaller first, of 2 or more and {LARGEST} or less",
    "check": lambda at: (
        len(at) < 3 and list(at) == sorted(at) and all(2 <= each <= LARGEST for each in at)
    ),
}


@dataclass(frozen=True)
class Augmentation(Settings):
    """How far training images may be distorted; every amount is uniform within its bound, 0 means
    not at all.
    """

    crop: str = setting(
        "fit",
        "how images are cut: fit sets small ones into the field as they are and takes the "
        "middle of others; center scales to resize, then takes the middle; random takes any "
        "square of that; random-resized any part (evaluated, for both, as center)",
        choices=("fit", "center", "random", "random-resized"),
    )
    resize: tuple[int, ...] = setting(
        (),
        "shorter side in pixels before cropping, 8/7 of the crop where nothing is "
        "said; two values are a range drawn for each image (scale jitter), and "
        "evaluation takes the first",
        **SHORTER,
    )
    crop_scale: tuple[float, ...] = setting(
        (0.08, 1.0),
        "range of the share of the image that crop=random-resized takes",
        **pair_up_to(1),
    )
    crop_ratio: tuple[float, ...] = setting(
        (0.75, 1.3333), "range of the width / height of crop=random-resized", **pair_up_to(100)
    )
    sizes: tuple[int, ...] = setting(
        (),
        "multi-scale training: sides in pixels, of which every step draws one",
        allowed=f"sides of 2 or more and {LARGEST} or less",
        check=lambda sides: all(2 <= side <= LARGEST for side in sides),
    )
    pad: int = setting(0, "pad by this many pixels, then crop at random", **between(0, LARGEST))
    flip: bool = setting(False, "mirror half of the images")
    shift: float = setting(0.0, "move by up to this many pixels, sub-pixel", **between(0, LARGEST))
    rotate: float = setting(0.0, "turn by up to this many degrees", **between(0, 180))
    scale: float = setting(0.0, "enlarge or shrink by up to this fraction", **between(0, 0.9))
    squeeze: float = setting(
        0.0, "make wider and lower, or the reverse, by up to this fraction", **between(0, 0.9)
    )
    shear: float = setting(0.0, "shear horizontally by up to this fraction", **between(0, 1))
    auto_augment: str = setting(
        "",
        "a policy of operations: RandAugment (2 operations of magnitude 9), AutoAugment "
        "(as found on ImageNet, or on CIFAR-10) or TrivialAugment",
        choices=("", "randaugment", "autoaugment", "autoaugment-cifar", "trivialaugment"),
    )
    color_jitter: float = setting(
        0.0,
        "brightness, contrast and saturation by up to this fraction, in any order",
        **between(0, 1),
    )
    lighting: float = setting(
        0.0,
        "standard deviation of the noise along the principal colours (AlexNet: 0.1)",
        **between(0, 10),
    )
    random_erasing: float = setting(
        0.0, "share of the images of which a part is covered", **between(0, 1)
    )
    mixup: float = setting(
        0.0,
        "mix neighbours of a batch and their labels: alpha of the Beta distribution",
        **between(0, 100),
    )
    cutmix: float = setting(
        0.0,
        "put a part of one image into another and mix the labels: alpha; with mixup too, "
        "either half of the time",
        **between(0, 100),
    )
