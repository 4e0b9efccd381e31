"""What is printed of the networks of nets/mobilenet_v3_minimalistic.py."""

from convatlas.claim import counts, misprint

AS_THE_66M_OF_SMALL = misprint(
    "It must cost less than Small, of which it is a part, all 3x3 and without gates: 52.3 of 56.5 "
    "million. The README's 66M for Small contradict the paper's Table 3 as well."
)
CLAIMS = {
    "mobilenet_v3_large_minimalistic": (
        *counts("mobilenet/README.md", "3.9M", "209M", by="release"),
    ),
    "mobilenet_v3_small_minimalistic": (
        *counts(
            "mobilenet/README.md", "2.0M", "65M", by="release", remarks=(None, AS_THE_66M_OF_SMALL)
        ),
    ),
}
