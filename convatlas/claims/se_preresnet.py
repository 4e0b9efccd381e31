"""What is printed of the networks of nets/se_preresnet.py."""

from convatlas.claim import Claim

CLAIMS = {
    "se_preresnet18": (
        Claim("layers", "18", "sepreresnet18, the name", by="pytorchcv"),
        Claim("params", "11,776,928", "The tests of its models", by="pytorchcv"),
    ),
    "se_preresnet34": (
        Claim("layers", "34", "sepreresnet34, the name", by="pytorchcv"),
        Claim("params", "21,957,204", "The tests of its models", by="pytorchcv"),
    ),
    "se_preresnet50": (
        Claim("layers", "50", "sepreresnet50, the name", by="pytorchcv"),
        Claim("params", "28,080,472", "The tests of its models", by="pytorchcv"),
    ),
    "se_preresnet101": (
        Claim("layers", "101", "sepreresnet101, the name", by="pytorchcv"),
        Claim("params", "49,319,320", "The tests of its models", by="pytorchcv"),
    ),
    "se_preresnet152": (
        Claim("layers", "152", "sepreresnet152, the name", by="pytorchcv"),
        Claim("params", "66,814,296", "The tests of its models", by="pytorchcv"),
    ),
    "se_preresnet110_cifar": (Claim("layers", "110", "Table 4, ResNet-110"),),
    "se_preresnet164_cifar": (Claim("layers", "164", "Table 4, ResNet-164"),),
}
