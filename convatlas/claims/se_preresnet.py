"""What is printed of the networks of nets/se_preresnet.py."""

from convatlas.claim import Claim

CLAIMS = {
    "se_preresnet18": (Claim("params", "11,776,928", "The tests of its models", by="pytorchcv"),),
    "se_preresnet34": (Claim("params", "21,957,204", "The tests of its models", by="pytorchcv"),),
    "se_preresnet50": (Claim("params", "28,080,472", "The tests of its models", by="pytorchcv"),),
    "se_preresnet101": (Claim("params", "49,319,320", "The tests of its models", by="pytorchcv"),),
    "se_preresnet152": (Claim("params", "66,814,296", "The tests of its models", by="pytorchcv"),),
}
