"""What is printed of the networks of nets/plain.py."""

from convatlas.claim import Claim, each, table

STEM = (
    *table("Figure 3, middle", "kernel filters stride", {"conv1": "7x7 64 2"}),
    Claim("stride", "2", "Figure 3, middle: pool, /2", "pool1"),
    *each(
        "stride",
        "Figure 3, middle: /2",
        {"conv3_x.0.conv1": "2", "conv4_x.0.conv1": "2", "conv5_x.0.conv1": "2"},
    ),
    *table(
        "Figure 3, middle",
        "kernel filters",
        {
            "conv2_x": "3x3 64",
            "conv3_x": "3x3 128",
            "conv4_x": "3x3 256",
            "conv5_x": "3x3 512",
        },
    ),
    *each(
        "size",
        "Table 1, output size",
        {
            "conv1": "112x112",
            "conv2_x": "56x56",
            "conv3_x": "28x28",
            "conv4_x": "14x14",
            "conv5_x": "7x7",
        },
    ),
    Claim("units", "1000", "Sec. 3.3: a 1000-way fully-connected layer", "fc"),
)
STAGES = ("stage1", "stage2", "stage3")
CIFAR = (
    *each(
        "size", "Sec. 4.2, output map size", {"stage1": "32x32", "stage2": "16x16", "stage3": "8x8"}
    ),
    *each("filters", "Sec. 4.2, # filters", {"stage1": "16", "stage2": "32", "stage3": "64"}),
    *each("kernel", "Sec. 4.2: 6n layers with 3x3 convolutions", dict.fromkeys(STAGES, "3x3")),
    *table("Sec. 4.2: the first layer is 3x3 convolutions", "kernel filters", {"conv1": "3x3 16"}),
    *each(
        "stride",
        "Sec. 4.2: convolutions with a stride of 2",
        {"stage2.0.conv1": "2", "stage3.0.conv1": "2"},
    ),
    Claim("units", "10", "Sec. 4.2: a 10-way fully-connected layer", "fc"),
)
SAME = "Table 6, # params of the ResNet; Sec. 4.2: exactly the same number"
N = "Sec. 4.2: n = {3, 5, 7, 9}"
CLAIMS = {
    "plain18": (
        *STEM,
        Claim("layers", "18", "Table 2"),
        Claim("macs", "1.8e9", "Table 1, FLOPs"),
        *each("repeats", "Table 1", dict.fromkeys(("conv2_x", "conv3_x", "conv4_x"), "2")),
        Claim("repeats", "2", "Table 1", "conv5_x"),
    ),
    "plain34": (
        *STEM,
        Claim("layers", "34", "Sec. 3.3: the total number of weighted layers"),
        Claim("macs", "3.6 billion", "Sec. 3.3 and Figure 3, caption"),
        *each(
            "repeats",
            "Table 1",
            {"conv2_x": "3", "conv3_x": "4", "conv4_x": "6", "conv5_x": "3"},
        ),
        *each(
            "convolutions",
            "Figure 3, middle",
            {"conv2_x": "6", "conv3_x": "8", "conv4_x": "12", "conv5_x": "6"},
        ),
    ),
    "plain20_cifar": (
        *CIFAR,
        Claim("layers", "20", N),
        Claim("params", "0.27M", SAME),
        *each("repeats", N, dict.fromkeys(STAGES, "3")),
    ),
    "plain32_cifar": (
        *CIFAR,
        Claim("layers", "32", N),
        Claim("params", "0.46M", SAME),
        *each("repeats", N, dict.fromkeys(STAGES, "5")),
    ),
    "plain44_cifar": (
        *CIFAR,
        Claim("layers", "44", N),
        Claim("params", "0.66M", SAME),
        *each("repeats", N, dict.fromkeys(STAGES, "7")),
    ),
    "plain56_cifar": (
        *CIFAR,
        Claim("layers", "56", N),
        Claim("params", "0.85M", SAME),
        *each("repeats", N, dict.fromkeys(STAGES, "9")),
    ),
    "plain110_cifar": (
        *CIFAR,
        Claim("layers", "110", "Figure 6, caption: plain-110"),
        Claim("params", "1.7M", SAME),
        *each("repeats", "Sec. 4.2: n = 18", dict.fromkeys(STAGES, "18")),
    ),
}
