"""What is printed of the networks of nets/squeezenet.py."""

from convatlas.claim import (
    Claim,
    counts,
    each,
    misprint,
    not_explained,
    table,
    within_one_unit,
)

MAP_OF_227 = misprint(
    "A 7x7 of stride 2 makes 109x109 of 224x224, 110x110 if sizes are rounded up, 112x112 if it is "
    "padded by 3. conv1's 111x111 takes 227, which the authors' files crop."
)
NO_SQUARE = misprint("The next row, which keeps the size, prints 13x13; a square map stays square.")
TWO_FOR_ONE = not_explained(
    "The authors' README prints 1.72 GFLOPS for their files, which pad conv10: 861,339,936 "
    "multiply-adds, counted as two operations each. 1700 is near that; the 720 for AlexNet beside "
    "it count one."
)
PADS_CONV10 = misprint(
    "Of another network than Table 1's: the authors' files pad conv10 by 1, which takes "
    "861,339,936 multiply-adds, and twice that is 1.72 billion."
)
OF_SIZES_IN_MB = not_explained(
    "48.8 times; the sizes that the paper prints, 240MB and 4.8MB, are 50 times apart."
)
UNITS_MIXED = misprint(
    "The published file has 675,763 bytes, which are 660 times 1024: 0.64MB as the 4.8MB beside it "
    "is counted, 0.68 million."
)
OF_ROUNDED_SIZES = misprint(
    "240MB over 0.66MB, both rounded, and cut off. AlexNet's 243,860,896 bytes are 361 times the "
    "675,763 of the published file. Measured: 33% of the weights in that file's layout, without "
    "the codes that only bridge its gaps."
)
NEVER_PUBLISHED = not_explained(
    "The file was never published. In the layout of the one with 8 bits it would have 535,999 "
    "bytes; with Huffman codes ours have 382,000 to 427,000 (docs/compression.md)."
)
OF_0_47 = not_explained(
    "240MB over 0.47MB, both rounded, and cut off, of a file that was never published. With "
    "Huffman codes ours are 1/571 to 1/638 (docs/compression.md)."
)
WITH_BRIDGES = within_one_unit(
    "33.9% with the codes that only bridge a gap of more than 15 zeros: 415,921 weights of the "
    "published file, 33.4%, are not zero."
)
SMALLER_THAN_7_7 = not_explained(
    "6.06MB: a 1x1 convolution with biases on each of the four bypasses that change the number of "
    "channels adds 341,248 parameters to the 1,248,424. For 7.7MB it would take 770,000."
)
FILTERS = (
    *table(
        "Table 1, filter size and stride",
        "kernel stride filters",
        {"conv1": "7x7 2 96", "conv10": "1x1 1 1000"},
    ),
    *table(
        "Table 1, filter size and stride",
        "kernel stride",
        {"maxpool1": "3x3 2", "maxpool4": "3x3 2", "maxpool8": "3x3 2"},
    ),
    *table(
        "Table 1: s1x1, e1x1, e3x3",
        "filters:squeeze filters:expand1x1 filters:expand3x3",
        {
            "fire2": "16 64 64",
            "fire3": "16 64 64",
            "fire4": "32 128 128",
            "fire5": "32 128 128",
            "fire6": "48 192 192",
            "fire7": "48 192 192",
            "fire8": "64 256 256",
            "fire9": "64 256 256",
        },
    ),
    *each(
        "kernel",
        "Figure 1",
        {"fire*.squeeze": "1x1", "fire*.expand1x1": "1x1", "fire*.expand3x3": "3x3"},
    ),
)
CLAIMS = {
    "squeezenet1_0": (
        Claim("size", "3x224x224", "Table 1", "input", remark=MAP_OF_227),
        Claim("size", "96x111x111", "Table 1", "conv1"),
        Claim("layers", "1", "Table 1", "conv1"),
        Claim("params", "14,208", "Table 1", "conv1"),
        Claim("size", "96x55x55", "Table 1", "maxpool1"),
        Claim("layers", "0", "Table 1", "maxpool1"),
        Claim("size", "128x55x55", "Table 1", "fire2"),
        Claim("layers", "2", "Table 1", "fire2"),
        Claim("params", "11,920", "Table 1", "fire2"),
        Claim("size", "128x55x55", "Table 1", "fire3"),
        Claim("layers", "2", "Table 1", "fire3"),
        Claim("params", "12,432", "Table 1", "fire3"),
        Claim("size", "256x55x55", "Table 1", "fire4"),
        Claim("layers", "2", "Table 1", "fire4"),
        Claim("params", "45,344", "Table 1", "fire4"),
        Claim("size", "256x27x27", "Table 1", "maxpool4"),
        Claim("layers", "0", "Table 1", "maxpool4"),
        Claim("size", "256x27x27", "Table 1", "fire5"),
        Claim("layers", "2", "Table 1", "fire5"),
        Claim("params", "49,440", "Table 1", "fire5"),
        Claim("size", "384x27x27", "Table 1", "fire6"),
        Claim("layers", "2", "Table 1", "fire6"),
        Claim("params", "104,880", "Table 1", "fire6"),
        Claim("size", "384x27x27", "Table 1", "fire7"),
        Claim("layers", "2", "Table 1", "fire7"),
        Claim("params", "111,024", "Table 1", "fire7"),
        Claim("size", "512x27x27", "Table 1", "fire8"),
        Claim("layers", "2", "Table 1", "fire8"),
        Claim("params", "188,992", "Table 1", "fire8"),
        Claim("size", "512x13x12", "Table 1", "maxpool8", remark=NO_SQUARE),
        Claim("layers", "0", "Table 1", "maxpool8"),
        Claim("size", "512x13x13", "Table 1", "fire9"),
        Claim("layers", "2", "Table 1", "fire9"),
        Claim("params", "197,184", "Table 1", "fire9"),
        Claim("size", "1000x13x13", "Table 1", "conv10"),
        Claim("layers", "1", "Table 1", "conv10"),
        Claim("params", "513,000", "Table 1", "conv10"),
        Claim("size", "1000x1x1", "Table 1", "avgpool10"),
        Claim("layers", "0", "Table 1", "avgpool10"),
        *FILTERS,
        Claim("params", "1,248,424", "Table 1, total"),
        *counts(
            "Table 9", "1.25 million", "1700 million", by="MobileNets", remarks=(None, TWO_FOR_ONE)
        ),
        Claim("macs", "833M", "Table 6", by="ShuffleNet"),
        Claim("bytes", "4.8MB", "README: the pretrained model", by="release"),
        Claim("flops", "1.72G", "README of SqueezeNet v1.1", by="release", remark=PADS_CONV10),
        Claim("bytes", "4.8MB", "Sec. 5.2"),
        Claim("params", "50x", "Abstract", remark=OF_SIZES_IN_MB, than="alexnet"),
        Claim("share of weights in 660KB", "33%", "Sec. 4", remark=WITH_BRIDGES),
        Claim("bytes at 33% and 8 bits", "0.66MB", "Sec. 4", remark=UNITS_MIXED),
        Claim("bytes at 33% and 8 bits", "363x", "Sec. 4", remark=OF_ROUNDED_SIZES, than="alexnet"),
        Claim("bytes at 33% and 6 bits", "0.47MB", "Sec. 4", remark=NEVER_PUBLISHED),
        Claim("bytes at 33% and 6 bits", "510x", "Sec. 4", remark=OF_0_47, than="alexnet"),
        *counts("SqueezeNet1_0_Weights", "1,248,424", "0.819G", by="torchvision", at="224x224"),
    ),
    "squeezenet1_0_simple_bypass": (Claim("bytes", "4.8MB", "README", by="SqueezeNet-Residual"),),
    "squeezenet1_0_complex_bypass": (
        Claim("bytes", "7.7MB", "Table 3 (not read: docs/sources.md)", remark=SMALLER_THAN_7_7),
    ),
}
