"""What is printed of the network of nets/mnasnet_timm.py."""

from convatlas.claim import Claim, each

BUILDER = "_gen_mnasnet_small: r1, r1, r2, r4, r3, r3, r1"
CLAIMS = {
    "mnasnet_small_timm": (
        *each(
            "repeats",
            BUILDER,
            {
                "block1": "1",
                "block2": "1",
                "block3": "2",
                "block4": "4",
                "block5": "3",
                "block6": "3",
                "block7": "1",
            },
            by="timm builder",
        ),
        Claim("gates", "10", "_gen_mnasnet_small: se0.25", by="timm builder"),
        Claim("params", "2,030,264", "mnasnet.py, mnasnet_small", by="pytorchcv"),
    )
}
