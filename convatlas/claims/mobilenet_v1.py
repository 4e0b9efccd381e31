"""What is printed of the networks of nets/mobilenet_v1.py."""

from convatlas.claim import (
    Claim,
    counted_otherwise,
    counts,
    each,
    misprint,
    not_explained,
    table,
    within_one_unit,
)

OF_THE_WEIGHTS = counted_otherwise(
    "Of the weights alone, without batch norm's scales and shifts and the last layer's biases; "
    "conv1's 0.02% hold either way."
)
COLUMN_OF_99 = misprint(
    "The column adds up to 99.29; with 1.91, which 3x3x3x32 weights on 112x112 take, to 100.01."
)
IMAGENET_COST = misprint(
    "With the 1000 classes of ImageNet; 120 breeds of dogs leave 567.8 million."
)
ANOTHER_COST = not_explained(
    "568,740,352; the paper itself and its authors' README print 569 million. With a value of each "
    "batch norm it is 573.8."
)
CONTRADICTS_TABLES_6_AND_10 = misprint(
    "All four figures of this width are 2.6 percent too low; the paper prints 325M for 224x224 "
    "(Table 6) and 239M for 192x192 (Table 10)."
)
WITHOUT_NORMS = counted_otherwise(
    "Without batch norm's 10,944 scales and shifts; Table 6 prints 1.3M."
)
FORTY_ONE_LEAVES_THIRTY = misprint("41M at 224x224 leaves 30M at 192x192, and 30.2 million it is.")
WITHOUT_LAST_LAYER = counted_otherwise(
    "Without the 1,024,000 of the last layer, which the 569M of the network itself include."
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
TWICE_SQUEEZENET = misprint(
    "Table 9 counts a multiply-add of SqueezeNet as two operations, and one of AlexNet and of "
    "MobileNet as one."
)
# Ratios are cut off: of 32.7 and 27.2 in the one sentence, of 45.8 and 9.47 in the other.
SMALLER_THAN_VGG = (
    Claim("params", "32x", "Sec. 4.2: 32 times smaller than VGG16", truncated=True, than="vgg16"),
    Claim("macs", "27x", "Sec. 4.2: 27 times less compute", truncated=True, than="vgg16"),
    Claim("macs", "more than 2.5x", "Sec. 4.2: than GoogleNet", than="googlenet"),
)
SMALLER_THAN_ALEXNET = (
    Claim("params", "45x", "Sec. 4.2: 45x smaller than AlexNet", truncated=True, than="alexnet"),
    Claim(
        "macs",
        "9.4x",
        "Sec. 4.2: 9.4x less compute than AlexNet",
        at="160x160",
        truncated=True,
        than="alexnet",
    ),
    Claim(
        "macs",
        "22x",
        "Sec. 4.2: 22x less computation than Squeezenet",
        at="160x160",
        remark=TWICE_SQUEEZENET,
        than="squeezenet1_0",
    ),
)
STRIDE_OF_ONE = misprint(
    "The row reads 7x7x1024 and so does the next one; with a stride of 2 it would be 4x4."
)
EIGHT_TIMES_200 = not_explained(
    "1,605,632, 802,816 and 401,408 bytes; the cells are eight, four and two times the 200 Kb of "
    "14x14, which are 200,704 bytes."
)
TWICE = misprint("1024 channels of 7x7 in 16 bits are 100,352 bytes, half of that.")
ROUNDED_DOWN = within_one_unit("200,704 bytes.")
MEMORY = tuple(
    Claim(
        "bytes in 16 bits",
        printed,
        "Table 3, memory by resolution",
        part,
        by="MobileNetV2",
        remark=remark,
    )
    for part, printed, remark in (
        ("conv2", "1600K", EIGHT_TIMES_200),
        ("conv4", "800K", EIGHT_TIMES_200),
        ("conv6", "400K", EIGHT_TIMES_200),
        ("conv12", "200K", ROUNDED_DOWN),
        ("conv14", "199K", TWICE),
    )
)
FILTERS = table(
    "Table 1, filter shape and stride",
    "kernel filters stride",
    {
        "conv1": "3x3 32 2",
        "conv2.dw": "3x3 32 1",
        "conv2.pw": "1x1 64 1",
        "conv3.dw": "3x3 64 2",
        "conv3.pw": "1x1 128 1",
        "conv4.dw": "3x3 128 1",
        "conv4.pw": "1x1 128 1",
        "conv5.dw": "3x3 128 2",
        "conv5.pw": "1x1 256 1",
        "conv6.dw": "3x3 256 1",
        "conv6.pw": "1x1 256 1",
        "conv7.dw": "3x3 256 2",
        "conv7.pw": "1x1 512 1",
        "conv8.dw": "3x3 512 1",
        "conv8.pw": "1x1 512 1",
        "conv9.dw": "3x3 512 1",
        "conv9.pw": "1x1 512 1",
        "conv10.dw": "3x3 512 1",
        "conv10.pw": "1x1 512 1",
        "conv11.dw": "3x3 512 1",
        "conv11.pw": "1x1 512 1",
        "conv12.dw": "3x3 512 1",
        "conv12.pw": "1x1 512 1",
        "conv13.dw": "3x3 512 2",
        "conv13.pw": "1x1 1024 1",
        "conv14.dw": "3x3 1024 -",
        "conv14.pw": "1x1 1024 1",
    },
)
DEPTHWISE = each(
    "groups",
    "Table 1, dw",
    {
        "conv2.dw": "32",
        "conv3.dw": "64",
        "conv4.dw": "128",
        "conv5.dw": "128",
        "conv6.dw": "256",
        "conv7.dw": "256",
        "conv8.dw": "512",
        "conv9.dw": "512",
        "conv10.dw": "512",
        "conv11.dw": "512",
        "conv12.dw": "512",
        "conv13.dw": "512",
        "conv14.dw": "1024",
    },
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
        *FILTERS,
        *DEPTHWISE,
        Claim("stride", "2", "Table 1", "conv14.dw", remark=STRIDE_OF_ONE),
        Claim("groups", "1", "Table 1", "*.pw"),
        Claim("nonlinearity", "ReLU", "Sec. 3.2: all layers but the last"),
        Claim("units", "1000", "Table 1, FC", "fc"),
        Claim("layers", "28", "Sec. 3.2"),
        *counts("Tables 4, 6, 7 and 8", "4.2M", "569M"),
        *counts("Table 3, re-implementation", "4.2M", "569M", by="SENet"),
        *SMALLER_THAN_VGG,
        *counts("Table 3: a separable convolution of 14x14x512", "0.27M", "52.3M", part="conv8"),
        Claim("share of weights", "74.59%", "Table 2", "*.pw", remark=OF_THE_WEIGHTS),
        Claim("share of macs", "94.86%", "Table 2", "*.pw"),
        Claim("share of weights", "1.06%", "Table 2", "*.dw", remark=OF_THE_WEIGHTS),
        Claim("share of macs", "3.06%", "Table 2", "*.dw"),
        Claim("share of params", "0.02%", "Table 2", "conv1"),
        Claim("share of macs", "1.19%", "Table 2", "conv1", remark=COLUMN_OF_99),
        Claim("share of weights", "24.33%", "Table 2", "fc", remark=OF_THE_WEIGHTS),
        Claim("share of macs", "0.18%", "Table 2", "fc"),
        Claim("share of macs", "95%", "Sec. 3.2: spent in 1x1 convolutions", "*.pw"),
        Claim(
            "share of weights",
            "75%",
            "Sec. 3.2: in 1x1 convolutions",
            "*.pw",
            remark=OF_THE_WEIGHTS,
        ),
        *each(
            "channels",
            "Table 3, channels by resolution",
            {
                "conv2": "64",
                "conv4": "128",
                "conv6": "256",
                "conv12": "512",
                "conv14": "1024",
            },
            by="MobileNetV2",
        ),
        *MEMORY,
        *counts("Table 7", "4.2M", "418M", at="192x192"),
        *counts("Table 7", "4.2M", "290M", at="160x160", remarks=(None, CUT_OFF_290)),
        *counts("Table 7", "4.2M", "186M", at="128x128"),
        *counts(
            "Table 10, Stanford Dogs",
            "3.3M",
            "569M",
            at="120 classes",
            remarks=(None, IMAGENET_COST),
        ),
        *counts(
            "Table 10, Stanford Dogs",
            "3.3M",
            "418M",
            at="192x192, 120 classes",
            remarks=(None, IMAGENET_COST_192),
        ),
        *counts("Table 4", "4.2M", "575M", by="MobileNetV2", remarks=(None, ANOTHER_COST)),
        Claim(
            "params with statistics, no scales",
            "4.24M",
            "mobilenet_v1.md",
            by="release",
            remark=NORMS_OF_THREE,
        ),
        Claim("macs", "569M", "mobilenet_v1.md", by="release", at="224x224"),
        Claim("macs", "418M", "mobilenet_v1.md", by="release", at="192x192"),
        Claim("macs", "291M", "mobilenet_v1.md", by="release", at="160x160"),
        Claim("macs", "186M", "mobilenet_v1.md", by="release", at="128x128"),
    ),
    "mobilenet_v1_x0_75": (
        *counts("Tables 5 and 6", "2.6M", "325M"),
        *counts("Table 3, alpha = 0.75", "0.15M", "29.6M", part="conv8"),
        *counts("Table 3, rho = 0.714", "0.15M", "15.1M", at="160x160", part="conv8"),
        *counts("Table 10, Stanford Dogs", "1.9M", "325M", at="120 classes"),
        *counts("Table 10, Stanford Dogs", "1.9M", "239M", at="192x192, 120 classes"),
        Claim("params", "2.59M", "mobilenet_v1.md", by="release"),
        Claim(
            "macs",
            "317M",
            "mobilenet_v1.md",
            by="release",
            at="224x224",
            remark=CONTRADICTS_TABLES_6_AND_10,
        ),
        Claim(
            "macs",
            "233M",
            "mobilenet_v1.md",
            by="release",
            at="192x192",
            remark=CONTRADICTS_TABLES_6_AND_10,
        ),
        Claim(
            "macs",
            "162M",
            "mobilenet_v1.md",
            by="release",
            at="160x160",
            remark=CONTRADICTS_TABLES_6_AND_10,
        ),
        Claim(
            "macs",
            "104M",
            "mobilenet_v1.md",
            by="release",
            at="128x128",
            remark=CONTRADICTS_TABLES_6_AND_10,
        ),
    ),
    "mobilenet_v1_x0_5": (
        *counts("Table 6", "1.3M", "149M"),
        Claim("params without norms", "1.32M", "Table 9", remark=WITHOUT_NORMS),
        Claim("macs", "76M", "Table 9", at="160x160", remark=CUT_OFF_76),
        *SMALLER_THAN_ALEXNET,
        Claim(
            "params with statistics, no scales",
            "1.34M",
            "mobilenet_v1.md",
            by="release",
            remark=NORMS_OF_THREE,
        ),
        Claim("macs", "150M", "mobilenet_v1.md", by="release", at="224x224", remark=NEARLY_149_5),
        Claim("macs", "110M", "mobilenet_v1.md", by="release", at="192x192"),
        Claim("macs", "77M", "mobilenet_v1.md", by="release", at="160x160"),
        Claim("macs", "49M", "mobilenet_v1.md", by="release", at="128x128"),
    ),
    "mobilenet_v1_x0_25": (
        *counts("Table 6", "0.5M", "41M"),
        Claim("params", "0.47M", "mobilenet_v1.md", by="release"),
        Claim("macs", "41M", "mobilenet_v1.md", by="release", at="224x224"),
        Claim(
            "macs",
            "34M",
            "mobilenet_v1.md",
            by="release",
            at="192x192",
            remark=FORTY_ONE_LEAVES_THIRTY,
        ),
        Claim("macs", "21M", "mobilenet_v1.md", by="release", at="160x160"),
        Claim("macs", "14M", "mobilenet_v1.md", by="release", at="128x128"),
    ),
    "mobilenet_v1_full_conv": (
        Claim("params", "29.3M", "Table 4"),
        Claim("macs without the last layer", "4866M", "Table 4", remark=WITHOUT_LAST_LAYER),
        *counts("Table 3: a convolution of 14x14x512", "2.36M", "462M", part="conv8"),
    ),
    "mobilenet_v1_shallow": (*counts("Table 5", "2.9M", "307M"),),
}
