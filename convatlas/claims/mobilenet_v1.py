"""What is printed of the networks of nets/mobilenet_v1.py."""

from convatlas.claim import Claim, counted_otherwise, counts, each, misprint, within_one_unit

WHY_1 = misprint(
    "Of the weights alone, without batch norm's scales and shifts and the last layer's biases."
)
WHY_2 = misprint(
    "The column adds up to 99.29; with 1.91, which 3x3x3x32 weights on 112x112 take, to 100.01."
)
WHY_3 = misprint("With the 1000 classes of ImageNet; 120 breeds of dogs leave 567.8 million.")
WHY_4 = misprint("The paper itself and its authors' README print 569 million.")
WHY_5 = misprint(
    "All four figures of this width are 2.6 percent too low; the paper prints 325M for 224x224 "
    "(Table 6) and 239M for 192x192 (Table 10)."
)
WHY_6 = misprint(
    "Leaves out batch norm's 10,944 scales and shifts; with them the network has 1,331,592, and "
    "Table 6 prints 1.3M."
)
WHY_7 = misprint("41M at 224x224 leaves 30M at 192x192, and 30.2 million it is.")
WHY_8 = misprint(
    "Table 1 with full convolutions has 4,867,293,184; the printed figure leaves out the "
    "1,024,000 of the last layer, which the 569M of the network itself includes."
)
AT_448 = within_one_unit("2.272B, printed as 2.2B: a table that rounds would have 2.3B.")
CUT_OFF_290 = within_one_unit(
    "290,675,200, which the authors' README rounds to 291M; the table's other rows are rounded."
)
IMAGENET_COST_192 = misprint(
    "With the 1000 classes of ImageNet, as in the row of 569M; 120 breeds of dogs leave 417.2."
)
CUT_OFF_76 = within_one_unit("76,524,800, which the authors' README rounds to 77M.")
NEARLY_149_5 = within_one_unit("149,497,088; the paper's Table 6 prints 149M.")
NORMS_OF_THREE = counted_otherwise(
    "All four sizes of the README hold with three numbers for a channel of a batch norm, as one "
    "without a scale stores: shift, mean and variance. By the usual count two of them do not."
)
CLAIMS = {
    "mobilenet_v1": (
        Claim("size", "3x224x224", "Table 1", "input"),
        Claim("macs", "0.6B", "Table 3, baseline", by="EfficientNet"),
        Claim(
            "macs",
            "2.2B",
            "Table 3, by resolution (r=2)",
            by="EfficientNet",
            at="448x448",
            remark=AT_448,
        ),
        *each(
            "size",
            "Table 1, input of the next row",
            {
                "conv1": "32x112x112",
                "conv2.dw": "32x112x112",
                "conv2.pw": "64x112x112",
                "conv3.dw": "64x56x56",
                "conv3.pw": "128x56x56",
                "conv4.dw": "128x56x56",
                "conv4.pw": "128x56x56",
                "conv5.dw": "128x28x28",
                "conv5.pw": "256x28x28",
                "conv6.dw": "256x28x28",
                "conv6.pw": "256x28x28",
                "conv7.dw": "256x14x14",
                "conv7.pw": "512x14x14",
                "conv8.dw": "512x14x14",
                "conv8.pw": "512x14x14",
                "conv9.dw": "512x14x14",
                "conv9.pw": "512x14x14",
                "conv10.dw": "512x14x14",
                "conv10.pw": "512x14x14",
                "conv11.dw": "512x14x14",
                "conv11.pw": "512x14x14",
                "conv12.dw": "512x14x14",
                "conv12.pw": "512x14x14",
                "conv13.dw": "512x7x7",
                "conv13.pw": "1024x7x7",
                "conv14.dw": "1024x7x7",
                "conv14.pw": "1024x7x7",
            },
        ),
        Claim("units", "1000", "Table 1, FC", "fc"),
        Claim("layers", "28", "Sec. 3.2"),
        *counts("Tables 4, 6, 7 and 8", "4.2M", "569M"),
        *counts("Table 3: a separable convolution of 14x14x512", "0.27M", "52.3M", part="conv8"),
        Claim("share of params", "74.59%", "Table 2", "*.pw", remark=WHY_1),
        Claim("share of macs", "94.86%", "Table 2", "*.pw"),
        Claim("share of params", "1.06%", "Table 2", "*.dw", remark=WHY_1),
        Claim("share of macs", "3.06%", "Table 2", "*.dw"),
        Claim("share of params", "0.02%", "Table 2", "conv1"),
        Claim("share of macs", "1.19%", "Table 2", "conv1", remark=WHY_2),
        Claim("share of params", "24.33%", "Table 2", "fc", remark=WHY_1),
        Claim("share of macs", "0.18%", "Table 2", "fc"),
        *counts("Table 7", "4.2M", "418M", at="192x192"),
        *counts("Table 7", "4.2M", "290M", at="160x160", remarks=(None, CUT_OFF_290)),
        *counts("Table 7", "4.2M", "186M", at="128x128"),
        *counts("Table 10, Stanford Dogs", "3.3M", "569M", at="120 classes", remarks=(None, WHY_3)),
        *counts(
            "Table 10, Stanford Dogs",
            "3.3M",
            "418M",
            at="192x192, 120 classes",
            remarks=(None, IMAGENET_COST_192),
        ),
        *counts("Table 4", "4.2M", "575M", by="MobileNetV2", remarks=(None, WHY_4)),
        Claim(
            "params with statistics, no scales",
            "4.24M",
            "README",
            by="release",
            remark=NORMS_OF_THREE,
        ),
        Claim("macs", "569M", "README", by="release", at="224x224"),
        Claim("macs", "418M", "README", by="release", at="192x192"),
        Claim("macs", "291M", "README", by="release", at="160x160"),
        Claim("macs", "186M", "README", by="release", at="128x128"),
    ),
    "mobilenet_v1_x0_75": (
        *counts("Tables 5 and 6", "2.6M", "325M"),
        *counts("Table 3, alpha = 0.75", "0.15M", "29.6M", part="conv8"),
        *counts("Table 3, rho = 0.714", "0.15M", "15.1M", at="160x160", part="conv8"),
        *counts("Table 10, Stanford Dogs", "1.9M", "325M", at="120 classes"),
        *counts("Table 10, Stanford Dogs", "1.9M", "239M", at="192x192, 120 classes"),
        Claim("params", "2.59M", "README", by="release"),
        Claim("macs", "317M", "README", by="release", at="224x224", remark=WHY_5),
        Claim("macs", "233M", "README", by="release", at="192x192", remark=WHY_5),
        Claim("macs", "162M", "README", by="release", at="160x160", remark=WHY_5),
        Claim("macs", "104M", "README", by="release", at="128x128", remark=WHY_5),
    ),
    "mobilenet_v1_x0_5": (
        *counts("Table 6", "1.3M", "149M"),
        *counts("Table 9", "1.32M", "76M", at="160x160", remarks=(WHY_6, CUT_OFF_76)),
        Claim(
            "params with statistics, no scales",
            "1.34M",
            "README",
            by="release",
            remark=NORMS_OF_THREE,
        ),
        Claim("macs", "150M", "README", by="release", at="224x224", remark=NEARLY_149_5),
        Claim("macs", "110M", "README", by="release", at="192x192"),
        Claim("macs", "77M", "README", by="release", at="160x160"),
        Claim("macs", "49M", "README", by="release", at="128x128"),
    ),
    "mobilenet_v1_x0_25": (
        *counts("Table 6", "0.5M", "41M"),
        Claim("params", "0.47M", "README", by="release"),
        Claim("macs", "41M", "README", by="release", at="224x224"),
        Claim("macs", "34M", "README", by="release", at="192x192", remark=WHY_7),
        Claim("macs", "21M", "README", by="release", at="160x160"),
        Claim("macs", "14M", "README", by="release", at="128x128"),
    ),
    "mobilenet_v1_full_conv": (
        *counts("Table 4", "29.3M", "4866M", remarks=(None, WHY_8)),
        *counts("Table 3: a convolution of 14x14x512", "2.36M", "462M", part="conv8"),
    ),
    "mobilenet_v1_shallow": (*counts("Table 5", "2.9M", "307M"),),
}
