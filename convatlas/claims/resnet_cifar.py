"""What is printed of the networks of nets/resnet_cifar.py."""

from convatlas.claim import Claim, each, table

SHARED_1 = each(
    "size", "Sec. 4.2, output map size", {"stage1": "32x32", "stage2": "16x16", "stage3": "8x8"}
)
STAGES = ("stage1", "stage2", "stage3")
FIRST_AND_LAST = (
    *table("Sec. 4.2: the first layer is 3x3 convolutions", "kernel filters", {"conv1": "3x3 16"}),
    *each(
        "kernel",
        "Sec. 4.2: a stack of 6n layers with 3x3 convolutions",
        dict.fromkeys(STAGES, "3x3"),
    ),
    *each("filters", "Sec. 4.2, # filters", {"stage1": "16", "stage2": "32", "stage3": "64"}),
    *each(
        "stride",
        "Sec. 4.2: subsampling by convolutions with a stride of 2",
        {"stage2.0.branch.conv1": "2", "stage3.0.branch.conv1": "2"},
    ),
    Claim("units", "10", "Sec. 4.2: a 10-way fully-connected layer", "fc"),
)
CLAIMS = {
    "resnet20_cifar": (
        *SHARED_1,
        Claim("params", "0.27M", "Table 6, # params"),
        Claim("layers", "20", "Table 6, # layers"),
        *FIRST_AND_LAST,
        *each("repeats", "Sec. 4.2: n = {3, 5, 7, 9}", dict.fromkeys(STAGES, "3")),
    ),
    "resnet32_cifar": (
        *SHARED_1,
        Claim("params", "0.46M", "Table 6, # params"),
        Claim("layers", "32", "Table 6, # layers"),
        *FIRST_AND_LAST,
        *each("repeats", "Sec. 4.2: n = {3, 5, 7, 9}", dict.fromkeys(STAGES, "5")),
    ),
    "resnet44_cifar": (
        *SHARED_1,
        Claim("params", "0.66M", "Table 6, # params"),
        Claim("layers", "44", "Table 6, # layers"),
        *FIRST_AND_LAST,
        *each("repeats", "Sec. 4.2: n = {3, 5, 7, 9}", dict.fromkeys(STAGES, "7")),
    ),
    "resnet56_cifar": (
        *SHARED_1,
        Claim("params", "0.85M", "Table 6, # params"),
        Claim("layers", "56", "Table 6, # layers"),
        *FIRST_AND_LAST,
        *each("repeats", "Sec. 4.2: n = {3, 5, 7, 9}", dict.fromkeys(STAGES, "9")),
    ),
    "resnet110_cifar": (
        *SHARED_1,
        Claim("params", "1.7M", "Table 6, # params"),
        Claim("layers", "110", "Table 6, # layers"),
        *FIRST_AND_LAST,
        *each("repeats", "Sec. 4.2: n = 18", dict.fromkeys(STAGES, "18")),
    ),
    "resnet1202_cifar": (
        *SHARED_1,
        Claim("params", "19.4M", "Table 6, # params"),
        Claim("layers", "1202", "Table 6, # layers"),
        *FIRST_AND_LAST,
        *each("repeats", "Sec. 4.2: n = 200", dict.fromkeys(STAGES, "200")),
    ),
}
