"""What is printed of the networks of nets/sknet.py."""

from convatlas.claim import Claim, each, misprint, table, within_one_unit

WHY_1 = misprint(
    "48.74 million with Eq. (4)'s d; the release has d = 16 in conv4_x's units, which leaves "
    "48.69. Only with the running statistics of batch norm, which are not trained, does it come "
    "to 48.9."
)
WHY_2 = misprint(
    "Convolutions and fully connected layers take 8.449G. The column counts more: 7.99 for "
    "ResNeXt-101, which takes 7.97."
)
MORE_THAN_PRODUCTS = within_one_unit(
    "Convolutions and fully connected layers take 4.463G; the table's 4.24 for ResNeXt-50, which "
    "takes 4.230, is more than these as well."
)
STEM = (
    *table("Table 1", "kernel filters stride", {"conv1": "7x7 64 2"}),
    *table("Table 1", "kernel stride", {"pool1": "3x3 2"}),
    Claim("units", "1000", "Table 1, 1000-d fc", "fc"),
)
BLOCKS_50 = table(
    "Table 1, SKNet-50",
    "repeats kernel:*.conv1 filters:*.conv1 filters:*.sk.k? groups:*.sk.k? kernel:*.conv3 "
    "filters:*.conv3",
    {
        "conv2_x": "3 1x1 128 128 32 1x1 256",
        "conv3_x": "4 1x1 256 256 32 1x1 512",
        "conv4_x": "6 1x1 512 512 32 1x1 1024",
        "conv5_x": "3 1x1 1024 1024 32 1x1 2048",
    },
)
REPEATS_101 = {"conv2_x": "3", "conv3_x": "4", "conv4_x": "23", "conv5_x": "3"}
REPEATS_26 = {"conv2_x": "2", "conv3_x": "2", "conv4_x": "2", "conv5_x": "2"}
CLAIMS = {
    "sknet50": (
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
        Claim("size", "56x56", "Table 1, output", "pool1"),
        *each(
            "size",
            "Table 1, widths at the output size",
            {
                "conv2_x.2.branch.conv1": "128x56x56",
                "conv2_x.2.branch.sk": "128x56x56",
                "conv2_x.2.branch.conv3": "256x56x56",
                "conv3_x.3.branch.conv1": "256x28x28",
                "conv3_x.3.branch.sk": "256x28x28",
                "conv3_x.3.branch.conv3": "512x28x28",
                "conv4_x.5.branch.conv1": "512x14x14",
                "conv4_x.5.branch.sk": "512x14x14",
                "conv4_x.5.branch.conv3": "1024x14x14",
                "conv5_x.2.branch.conv1": "1024x7x7",
                "conv5_x.2.branch.sk": "1024x7x7",
                "conv5_x.2.branch.conv3": "2048x7x7",
            },
        ),
        Claim("params", "27.5M", "Table 1, #P"),
        Claim("macs", "4.47G", "Table 1, GFLOPs", remark=MORE_THAN_PRODUCTS),
        *STEM,
        *BLOCKS_50,
    ),
    "sknet101": (
        Claim("params", "48.9M", "Table 2, #P", remark=WHY_1),
        Claim("macs", "8.46G", "Table 2, GFLOPs", remark=WHY_2),
        *STEM,
        *each("repeats", "Sec. 3.2: SKNet-101 has {3, 4, 23, 3} units", REPEATS_101),
    ),
    "sknet26": (
        *STEM,
        *each("repeats", "Sec. 3.2: SKNet-26 has {2, 2, 2, 2} units", REPEATS_26),
    ),
}
