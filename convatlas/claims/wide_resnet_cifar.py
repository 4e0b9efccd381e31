"""What is printed of the networks of nets/wide_resnet_cifar.py."""

from convatlas.claim import Claim, counted_otherwise, each, misprint, table

GROUPS = (
    *each("size", "Table 1, output size", {"conv1": "32x32", "stage1": "32x32"}),
    *each("size", "Table 1, output size", {"stage2": "16x16", "stage3": "8x8"}),
    *table("Table 1", "kernel filters", {"conv1": "3x3 16"}),
    *each(
        "kernel",
        "Table 1, block type = B(3, 3)",
        {"stage1.*.branch": "3x3", "stage2.*.branch": "3x3", "stage3.*.branch": "3x3"},
    ),
)
THREE = ("stage1", "stage2", "stage3")
OF_2 = each("filters", "Table 1, k = 2", {"stage1": "32", "stage2": "64", "stage3": "128"})
OF_4 = each("filters", "Table 1, k = 4", {"stage1": "64", "stage2": "128", "stage3": "256"})
OF_8 = each("filters", "Table 1, k = 8", {"stage1": "128", "stage2": "256", "stage3": "512"})
OF_10 = each("filters", "Table 1, k = 10", {"stage1": "160", "stage2": "320", "stage3": "640"})
OF_12 = each("filters", "Table 1, k = 12", {"stage1": "192", "stage2": "384", "stage3": "768"})
N = "Sec. 2.3: a total number of convolutional layers n"
SIX = each("repeats", "Table 1, N of 40 layers", dict.fromkeys(THREE, "6"))
FOUR = each("repeats", "Table 1, N of 28 layers", dict.fromkeys(THREE, "4"))
THREE_UNITS = each("repeats", "Table 1, N of 22 layers", dict.fromkeys(THREE, "3"))
TWO = each("repeats", "Table 1, N of 16 layers", dict.fromkeys(THREE, "2"))
PARAMS = "Table 4, # params"
CONVOLUTIONS = "layers as convolutions"
WITHOUT_CLASSIFIER = counted_otherwise(
    "n is the number of all convolutions, those of the three shortcuts too, and leaves the "
    "classifier out; the longest way, classifier included, is two layers shorter."
)
NO_SHORTCUT_OF_1 = misprint(
    "The name counts 6N + 4 convolutions. With k = 1 the first group keeps its 16 channels and has "
    "none on its shortcut: 39 are left, and the longest way, classifier included, has 38 layers."
)
CLAIMS = {
    "wide_resnet40_1_cifar": (
        *GROUPS,
        *SIX,
        Claim("layers", "40", N, remark=NO_SHORTCUT_OF_1),
        Claim("params", "0.6M", PARAMS),
    ),
    "wide_resnet40_2_cifar": (
        *GROUPS,
        *OF_2,
        *SIX,
        Claim(CONVOLUTIONS, "40", N, remark=WITHOUT_CLASSIFIER),
        Claim("params", "2.2M", PARAMS),
    ),
    "wide_resnet40_4_cifar": (
        *GROUPS,
        *OF_4,
        *SIX,
        Claim(CONVOLUTIONS, "40", N, remark=WITHOUT_CLASSIFIER),
        Claim("params", "8.9M", "Tables 4 and 5, # params"),
    ),
    "wide_resnet40_8_cifar": (
        *GROUPS,
        *OF_8,
        *SIX,
        Claim(CONVOLUTIONS, "40", N, remark=WITHOUT_CLASSIFIER),
        Claim("params", "35.7M", PARAMS),
    ),
    "wide_resnet28_10_cifar": (
        *GROUPS,
        *OF_10,
        *FOUR,
        Claim(CONVOLUTIONS, "28", N, remark=WITHOUT_CLASSIFIER),
        Claim("params", "36.5M", "Tables 4 and 5, # params"),
    ),
    "wide_resnet28_10_cifar_dropout": (
        *GROUPS,
        *OF_10,
        *FOUR,
        Claim(CONVOLUTIONS, "28", N, remark=WITHOUT_CLASSIFIER),
    ),
    "wide_resnet28_12_cifar": (
        *GROUPS,
        *OF_12,
        *FOUR,
        Claim(CONVOLUTIONS, "28", N, remark=WITHOUT_CLASSIFIER),
        Claim("params", "52.5M", PARAMS),
    ),
    "wide_resnet22_8_cifar": (
        *GROUPS,
        *OF_8,
        *THREE_UNITS,
        Claim(CONVOLUTIONS, "22", N, remark=WITHOUT_CLASSIFIER),
        Claim("params", "17.2M", PARAMS),
    ),
    "wide_resnet22_10_cifar": (
        *GROUPS,
        *OF_10,
        *THREE_UNITS,
        Claim(CONVOLUTIONS, "22", N, remark=WITHOUT_CLASSIFIER),
        Claim("params", "26.8M", PARAMS),
    ),
    "wide_resnet16_8_cifar": (
        *GROUPS,
        *OF_8,
        *TWO,
        Claim(CONVOLUTIONS, "16", N, remark=WITHOUT_CLASSIFIER),
        Claim("params", "11.0M", "Tables 4 and 5, # params"),
    ),
    "wide_resnet16_10_cifar": (
        *GROUPS,
        *OF_10,
        *TWO,
        Claim(CONVOLUTIONS, "16", N, remark=WITHOUT_CLASSIFIER),
        Claim("params", "17.1M", PARAMS),
    ),
    "se_wide_resnet16_8_cifar": (
        Claim(CONVOLUTIONS, "16", "Table 4, SE-WRN-16-8", by="SENet", remark=WITHOUT_CLASSIFIER),
    ),
}
