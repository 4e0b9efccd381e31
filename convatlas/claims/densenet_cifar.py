"""What is printed of the networks of nets/densenet_cifar.py."""

from convatlas.claim import Claim, each

SHARED_1 = each(
    "size",
    "Sec. 3, feature-map sizes in the three dense blocks",
    {"dense_block1": "32x32", "dense_block2": "16x16", "dense_block3": "8x8"},
)
CLAIMS = {
    "densenet40_k12_cifar": (
        Claim("params", "1.0M", "Table 2, Params"),
        Claim("layers", "40", "Table 2, Depth"),
        *SHARED_1,
        Claim(
            "size",
            "16x32x32",
            "Sec. 3: 16 (or twice the growth rate) output channels",
            "convolution",
        ),
    ),
    "densenet100_k12_cifar": (
        Claim("params", "7.0M", "Table 2, Params"),
        Claim("layers", "100", "Table 2, Depth"),
        *SHARED_1,
        Claim(
            "size",
            "16x32x32",
            "Sec. 3: 16 (or twice the growth rate) output channels",
            "convolution",
        ),
    ),
    "densenet100_k24_cifar": (
        Claim("params", "27.2M", "Table 2, Params"),
        Claim("layers", "100", "Table 2, Depth"),
        *SHARED_1,
        Claim(
            "size",
            "16x32x32",
            "Sec. 3: 16 (or twice the growth rate) output channels",
            "convolution",
        ),
    ),
    "densenet_bc100_k12_cifar": (
        Claim("params", "0.8M", "Table 2, Params"),
        Claim("layers", "100", "Table 2, Depth"),
        *SHARED_1,
    ),
    "densenet_bc250_k24_cifar": (
        Claim("params", "15.3M", "Table 2, Params"),
        Claim("layers", "250", "Table 2, Depth"),
        *SHARED_1,
    ),
    "densenet_bc190_k40_cifar": (
        Claim("params", "25.6M", "Table 2, Params"),
        Claim("layers", "190", "Table 2, Depth"),
        *SHARED_1,
    ),
    "wide_densenet_bc40_k36_cifar": (
        Claim("params", "1.5M", "README, Parameters", by="release"),
        Claim("layers", "40", "README, L", by="release"),
    ),
    "wide_densenet_bc40_k48_cifar": (
        Claim("params", "2.7M", "README, Parameters", by="release"),
        Claim("layers", "40", "README, L", by="release"),
    ),
    "wide_densenet_bc40_k60_cifar": (
        Claim("params", "4.3M", "README, Parameters", by="release"),
        Claim("layers", "40", "README, L", by="release"),
    ),
    "densenet40_k12_cifar_dropout": (
        Claim("params", "1.0M", "Table 2, Params"),
        Claim("layers", "40", "Table 2, Depth"),
        *SHARED_1,
        Claim(
            "size",
            "16x32x32",
            "Sec. 3: 16 (or twice the growth rate) output channels",
            "convolution",
        ),
    ),
    "densenet_bc100_k12_cifar_dropout": (
        Claim("params", "0.8M", "Table 2, Params"),
        Claim("layers", "100", "Table 2, Depth"),
        *SHARED_1,
    ),
}
