"""What is printed of the networks of nets/squeezenet.py."""

from convatlas.claim import Claim, counts, misprint

WHY_1 = misprint(
    "A 7x7 of stride 2 makes 109x109 of 224x224, 112x112 if padded by 3. conv1's 111x111 takes "
    "227, which the authors' files crop."
)
WHY_2 = misprint("The next row, which keeps the size, prints 13x13; a square map stays square.")
WHY_3 = misprint(
    "The authors' README prints 1.72 GFLOPS for their files, which pad conv10: 861,339,936 "
    "multiply-adds, counted as two operations each. The figure for AlexNet beside it counts "
    "one."
)
WHY_4 = misprint(
    "The authors' files pad conv10 by 1: 861,339,936 multiply-adds, twice which is 1.72 "
    "billion. Table 1 does not pad it."
)
CLAIMS = {
    "squeezenet1_0": (
        Claim("size", "3x224x224", "Table 1", "input", remark=WHY_1),
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
        Claim("size", "512x13x12", "Table 1", "maxpool8", remark=WHY_2),
        Claim("layers", "0", "Table 1", "maxpool8"),
        Claim("size", "512x13x13", "Table 1", "fire9"),
        Claim("layers", "2", "Table 1", "fire9"),
        Claim("params", "197,184", "Table 1", "fire9"),
        Claim("size", "1000x13x13", "Table 1", "conv10"),
        Claim("layers", "1", "Table 1", "conv10"),
        Claim("params", "513,000", "Table 1", "conv10"),
        Claim("size", "1000x1x1", "Table 1", "avgpool10"),
        Claim("layers", "0", "Table 1", "avgpool10"),
        Claim("params", "1,248,424", "Table 1, total"),
        *counts("Table 9", "1.25 million", "1700 million", by="MobileNets", remarks=(None, WHY_3)),
        Claim("macs", "833M", "Table 6", by="ShuffleNet"),
        Claim("bytes", "4.8MB", "README: the pretrained model", by="release"),
        Claim("flops", "1.72G", "README of SqueezeNet v1.1", by="release", remark=WHY_4),
        *counts("SqueezeNet1_0_Weights", "1,248,424", "0.819G", by="torchvision", at="224x224"),
    ),
}
