"""What is printed of the networks of nets/mobilenet_v3_minimalistic.py."""

from convatlas.claim import counts, misprint

WHY_1 = misprint(
    "That network, all 3x3 and without gates, must have fewer than mobilenet_v3_small's 56.5M; "
    "it has 52.3M."
)
CLAIMS = {
    "mobilenet_v3_large_minimalistic": (*counts("README", "3.9M", "209M", by="release"),),
    "mobilenet_v3_small_minimalistic": (
        *counts("README", "2.0M", "65M", by="release", remarks=(None, WHY_1)),
    ),
}
