"""What is printed of the networks of nets/mobilenet_v2_released.py."""

from convatlas.claim import Claim

SIDES = ("224x224", "192x192", "160x160", "128x128", "96x96")
README = {  # multiply-adds at each side, cut off after the million
    "mobilenet_v2_released": ("300M", "221M", "154M", "99M", "56M"),
    "mobilenet_v2_released_x0_35": ("59M", "43M", "30M", "20M", "11M"),
    "mobilenet_v2_released_x0_5": ("97M", "71M", "50M", "32M", "18M"),
    "mobilenet_v2_released_x0_75": ("209M", "153M", "107M", "69M", "39M"),
    "mobilenet_v2_released_x1_3": ("509M",),
    "mobilenet_v2_released_x1_4": ("582M",),
}
CLAIMS = {
    name: tuple(
        Claim("macs", number, "README", by="release", at=side, truncated=True)
        for side, number in zip(SIDES, numbers, strict=False)
    )
    for name, numbers in README.items()
}
