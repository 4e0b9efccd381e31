"""What is printed of the networks of nets/lenet5_tutorial.py."""

from convatlas.claim import each

SHARED_1 = each(
    "units",
    "LeNet: the outputs printed for 1x28x28",
    {"pool2": "400", "fc1": "120", "fc2": "84", "fc3": "10"},
    by="d2l",
)
SHARED_2 = each(
    "size",
    "LeNet: the outputs printed for 1x28x28",
    {
        "conv1.conv": "6x28x28",
        "conv1.sigmoid": "6x28x28",
        "pool1": "6x14x14",
        "conv2.conv": "16x10x10",
        "conv2.sigmoid": "16x10x10",
        "pool2": "16x5x5",
    },
    by="d2l",
)
CLAIMS = {
    "lenet5_tutorial": (
        *SHARED_2,
        *SHARED_1,
    ),
    "lenet5_tutorial_32": (
        *SHARED_2,
        *SHARED_1,
    ),
}
