"""What is printed of the networks of nets/alexnet.py."""

from convatlas.claim import Claim, counts, each, misprint, table, within_one_unit

WHY_2 = misprint(
    "96 maps of 55x55 are 290,400. 253,440 is 96 x 2640, and 2640 is no square; 186,624 = 256 x "
    "27 x 27, printed for conv2, needs 55x55 before the pool."
)
WHY_3 = misprint(
    "The network of Figure 2 takes 724,406,816 in its convolutions and fully connected layers: "
    "the figure is a round one."
)
TENS_OF_MILLIONS = within_one_unit(
    "Figure 2 has 60,965,224 parameters, which cut off at the million are 60, and rounded 61."
)
KERNELS = (
    *table(
        "Sec. 3.5",
        "kernel filters groups",
        {
            "conv1": "11x11 96 1",
            "conv2": "5x5 256 2",
            "conv3": "3x3 384 1",
            "conv4": "3x3 384 2",
            "conv5": "3x3 256 2",
        },
    ),
    Claim("stride", "4", "Sec. 3.5: with a stride of 4 pixels", "conv1"),
    *each("kernel", "Sec. 3.4: z = 3", {"pool1": "3x3", "pool2": "3x3", "pool5": "3x3"}),
    *each("stride", "Sec. 3.4: s = 2", {"pool1": "2", "pool2": "2", "pool5": "2"}),
    Claim("nonlinearity", "ReLU", "Sec. 3.5: to the output of every layer"),
)
CLAIMS = {
    "alexnet": (
        Claim("params", "60M", "Sec. 4, first sentence: 60 million", remark=TENS_OF_MILLIONS),
        Claim("layers", "8", "Sec. 3.5: eight layers"),
        Claim("size", "3x224x224", "Sec. 3.5 and Figure 2", "input"),
        Claim("units", "253,440", "Figure 2, caption", "conv1", remark=WHY_2),
        *each(
            "units",
            "Figure 2, caption",
            {
                "conv2": "186,624",
                "conv3": "64,896",
                "conv4": "64,896",
                "conv5": "43,264",
                "fc6": "4096",
                "fc7": "4096",
                "fc8": "1000",
            },
        ),
        *counts(
            "Table 9", "60M", "720 million", by="MobileNets", remarks=(TENS_OF_MILLIONS, WHY_3)
        ),
        Claim("macs", "720M", "Tables 6 and 8", by="ShuffleNet", remark=WHY_3),
        *KERNELS,
    ),
}
