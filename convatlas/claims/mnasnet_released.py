"""What is printed of the networks of nets/mnasnet_released.py."""

from convatlas.claim import Claim, counts, not_explained

SIDES = ("224x224", "192x192", "160x160", "128x128", "96x96")
MORE = not_explained(
    "By 0.9 to 2.5 percent more than the network has, at every width and side; the README's own "
    "text prints 312M for the 315.2 of its table, and that holds. With the outputs of all norms "
    "it would be 317.8, and no sum of the outputs of some kinds of layers fits all 25 rows."
)
README = {  # parameters, and millions of multiply-adds at each side
    "mnasnet_a1_released_x1_4": ("6.1M", "591.5M 435.1M 302.8M 194.5M 110.3M"),
    "mnasnet_a1_released": ("3.9M", "315.2M 232.0M 161.6M 104.1M 59.3M"),
    "mnasnet_a1_released_x0_75": ("2.9M", "226.7M 166.9M 116.4M 75.0M 42.9M"),
    "mnasnet_a1_released_x0_5": ("2.1M", "105.2M 77.6M 54.4M 35.3M 20.5M"),
    "mnasnet_a1_released_x0_35": ("1.7M", "63.2M 46.8M 32.9M 21.6M 12.7M"),
}
CLAIMS = {
    **{
        name: (
            Claim("params", params, "README, the table", by="release"),
            *(
                Claim("macs", number, "README, the table", by="release", at=side, remark=MORE)
                for side, number in zip(SIDES, macs.split(), strict=True)
            ),
        )
        for name, (params, macs) in README.items()
    },
    "mnasnet_b1_released": (Claim("gates", "0", "mnasnet_models.py: no se", by="release"),),
    "mnasnet_small_released": counts("README, mnasnet-small", "2.0M", "68M", by="release"),
}
CLAIMS["mnasnet_a1_released"] += counts("README, mnasnet-a1", "3.9M", "312M", by="release")
