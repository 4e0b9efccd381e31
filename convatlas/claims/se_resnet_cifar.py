"""What is printed of the networks of nets/se_resnet_cifar.py."""

from convatlas.claim import Claim

CLAIMS = {
    "se_resnet110_cifar": (
        Claim("params", "1,744,952", "The tests of its models", by="pytorchcv"),
    ),
}
