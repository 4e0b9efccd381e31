"""What is printed of the network of nets/bn_inception_sigmoid.py."""

from convatlas.claim import each

CLAIMS = {
    "bn_inception_sigmoid": each(
        "size",
        "Figure 5, output size",
        {
            "conv1": "64x112x112",
            "pool1": "64x56x56",
            "conv2": "192x56x56",
            "pool2": "192x28x28",
            "inception_3a": "256x28x28",
            "inception_3b": "320x28x28",
            "inception_4a": "576x14x14",
            "inception_4b": "576x14x14",
            "inception_5a": "1024x7x7",
            "inception_5b": "1024x7x7",
        },
    )
}
