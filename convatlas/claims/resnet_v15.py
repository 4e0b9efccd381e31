"""What is printed of the networks of nets/resnet_v15.py."""

from convatlas.claim import Claim, counted_otherwise, counts, each, not_explained, within_one_unit

EQUATION_4 = counted_otherwise(
    "Without batch norm, which Eq. (4) of the same text does not count either."
)
NEAR_25 = within_one_unit(
    "25.56 million. Complexity is preserved roughly; this is the network that it is preserved of."
)
NEAR_44 = within_one_unit("44.55 million, and 44.44 without batch norm.")
AS_RES2NET = not_explained(
    "4.089G; the paper's own networks in the same table hold at 4.2G, 2.9G, 6.3G and 8.3G. With "
    "the values of the norms it would be 4.10G."
)
OF_ROUNDED = not_explained(
    "0.709; the table's 2.9G are 0.69 of the 4.2G that it prints for ResNet-50, which takes 4.089G."
)

CLAIMS = {
    "resnet50_v15": (
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
            by="ResNet",
        ),
        Claim("params without norms", "25.5e6", "Table 1", by="ResNeXt", remark=EQUATION_4),
        Claim("macs", "4.1e9", "Table 1, FLOPs of ResNet-50", by="ResNeXt"),
        Claim("params", "25 million", "Figure 5, ResNet-50", by="ResNeXt", remark=NEAR_25),
        Claim("macs", "4.1 billion", "Figure 5, ResNet-50", by="ResNeXt"),
        *counts("ResNet50_Weights", "25,557,032", "4.089G", by="torchvision"),
        *counts("Table 2", "26M", "4.1B", by="EfficientNet"),
        *counts("Table 9", "25.6e6", "4.1e9", by="ConvNeXt"),
        Claim("macs", "4.09G", "Table 10, ResNet-50", by="ConvNeXt"),
        Claim("macs", "4.2G", "Table 3, ResNet-50", by="Res2Net", remark=AS_RES2NET),
        Claim(
            "macs",
            "0.69x",
            "Sec. 4.2.3: only 69% FLOPs",
            by="Res2Net",
            remark=OF_ROUNDED,
            than="res2net50_18w4s",
        ),
        Claim("layers", "50", "resnet50, the name", by="torchvision"),
        Claim("macs", "16.4B", "Table 3, by resolution (r=2)", by="EfficientNet", at="448x448"),
    ),
    "resnet101_v15": (
        Claim("params", "44 million", "Figure 5, ResNet-101", by="ResNeXt", remark=NEAR_44),
        Claim("macs", "7.8 billion", "Figure 5, preserved complexity: ResNet-101", by="ResNeXt"),
        *counts("ResNet101_Weights", "44,549,160", "7.801G", by="torchvision"),
        Claim("layers", "101", "resnet101, the name", by="torchvision"),
    ),
    "resnet152_v15": (
        *(*counts("ResNet152_Weights", "60,192,808", "11.514G", by="torchvision"),),
        Claim("layers", "152", "resnet152, the name", by="torchvision"),
    ),
}
