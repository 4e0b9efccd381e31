"""What is printed of the networks of nets/alexnet.py."""

from convatlas.claim import (
    Claim,
    counted_otherwise,
    each,
    misprint,
    not_explained,
    table,
    within_one_unit,
)

PRODUCT_OF_LABELS = misprint(
    "96 maps of 55x55 are 290,400. 253,440 is 55 x 48 x 96, the product of three labels of Figure "
    "2: the side once, the maps of one GPU and those of both."
)
WITHOUT_LAST_LAYER = counted_otherwise(
    "Without the 4,096,000 of the last layer it is 720,310,816. So MobileNets counts its "
    "full-convolution network in Table 4, and ShuffleNet its own in Table 1."
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
NEITHER_SUM = not_explained(
    "The layers give out 659,272 values; with the 253,440 that Figure 2 prints for the first of "
    "them, 622,312. Neither rounds to 650,000."
)
CLAIMS = {
    "alexnet": (
        Claim("params", "60M", "Sec. 4, first sentence: 60 million", remark=TENS_OF_MILLIONS),
        Claim("layers", "8", "Sec. 3.5: eight layers"),
        Claim("size", "3x224x224", "Sec. 3.5 and Figure 2", "input"),
        Claim("units", "150,528", "Figure 2, caption: the network's input", "input"),
        Claim("neurons", "650,000", "Abstract", remark=NEITHER_SUM),
        Claim("units", "253,440", "Figure 2, caption", "conv1", remark=PRODUCT_OF_LABELS),
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
        Claim("params", "60M", "Table 9", by="MobileNets", remark=TENS_OF_MILLIONS),
        Claim(
            "macs without the last layer",
            "720 million",
            "Table 9",
            by="MobileNets",
            remark=WITHOUT_LAST_LAYER,
        ),
        Claim(
            "macs without the last layer",
            "720M",
            "Tables 6 and 8",
            by="ShuffleNet",
            remark=WITHOUT_LAST_LAYER,
        ),
        *KERNELS,
    ),
}
