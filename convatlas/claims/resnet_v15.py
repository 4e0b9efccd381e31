"""What is printed of the networks of nets/resnet_v15.py."""

from convatlas.claim import Claim, counts, each

CLAIMS = {
    "resnet50_v15": (
        Claim("macs", "4.1B", "Table 3, baseline", by="EfficientNet"),
        Claim("macs", "16.4B", "Table 3, by resolution (r=2)", by="EfficientNet", at="448x448"),
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
        Claim("macs", "4.1e9", "Table 1, FLOPs of ResNet-50", by="ResNeXt"),
        *counts("ResNet50_Weights", "25,557,032", "4.089G", by="torchvision"),
        *counts("Table 2", "26M", "4.1B", by="EfficientNet"),
    ),
    "resnet101_v15": (
        Claim("macs", "7.8 billion", "Figure 5, preserved complexity: ResNet-101", by="ResNeXt"),
        *counts("ResNet101_Weights", "44,549,160", "7.801G", by="torchvision"),
    ),
    "resnet152_v15": (*counts("ResNet152_Weights", "60,192,808", "11.514G", by="torchvision"),),
}
