"""What is printed of the networks of nets/resnet_cifar.py."""

from convatlas.claim import Claim, each

SHARED_1 = each(
    "size", "Sec. 4.2, output map size", {"stage1": "32x32", "stage2": "16x16", "stage3": "8x8"}
)
CLAIMS = {
    "resnet20_cifar": (
        *SHARED_1,
        Claim("params", "0.27M", "Table 6, # params"),
        Claim("layers", "20", "Table 6, # layers"),
    ),
    "resnet32_cifar": (
        *SHARED_1,
        Claim("params", "0.46M", "Table 6, # params"),
        Claim("layers", "32", "Table 6, # layers"),
    ),
    "resnet44_cifar": (
        *SHARED_1,
        Claim("params", "0.66M", "Table 6, # params"),
        Claim("layers", "44", "Table 6, # layers"),
    ),
    "resnet56_cifar": (
        *SHARED_1,
        Claim("params", "0.85M", "Table 6, # params"),
        Claim("layers", "56", "Table 6, # layers"),
    ),
    "resnet110_cifar": (
        *SHARED_1,
        Claim("params", "1.7M", "Table 6, # params"),
        Claim("layers", "110", "Table 6, # layers"),
    ),
    "resnet1202_cifar": (
        *SHARED_1,
        Claim("params", "19.4M", "Table 6, # params"),
        Claim("layers", "1202", "Table 6, # layers"),
    ),
}
