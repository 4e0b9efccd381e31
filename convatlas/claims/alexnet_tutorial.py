"""What is printed of the networks of nets/alexnet_tutorial.py."""

from convatlas.claim import Claim, each

CLAIMS = {
    "alexnet_tutorial": (
        *each(
            "size",
            "Printed outputs for 224x224",
            {
                "conv1.conv": "96x55x55",
                "conv1.relu": "96x55x55",
                "pool1": "96x27x27",
                "conv2.conv": "256x27x27",
                "conv2.relu": "256x27x27",
                "pool2": "256x13x13",
                "conv3.conv": "384x13x13",
                "conv3.relu": "384x13x13",
                "conv4.conv": "384x13x13",
                "conv4.relu": "384x13x13",
                "conv5.conv": "256x13x13",
                "conv5.relu": "256x13x13",
                "pool5": "256x6x6",
            },
            by="tutorials",
        ),
        *each(
            "units",
            "Printed outputs for 224x224",
            {"pool5": "9216", "fc6": "4096", "fc7": "4096", "fc8": "1000"},
            by="tutorials",
        ),
    ),
    "alexnet_tutorial_padding1": (
        Claim("size", "1x224x224", "AlexNet: a single image", "input", by="d2l notebooks"),
        *each(
            "size",
            "AlexNet: the outputs printed for 1x224x224",
            {
                "conv1": "96x54x54",
                "pool1": "96x26x26",
                "conv2": "256x26x26",
                "pool2": "256x12x12",
                "conv3": "384x12x12",
                "conv4": "384x12x12",
            },
            by="d2l notebooks",
        ),
        *each(
            "units",
            "AlexNet: the outputs printed for 1x224x224",
            {"pool5": "6400", "fc6": "4096", "fc7": "4096", "fc8": "10"},
            by="d2l notebooks",
        ),
    ),
}
