"""What is printed of the network of nets/shufflenet_v1_50.py."""

from convatlas.claim import Claim, each, table

CLAIMS = {
    "shufflenet_v1_50": (
        *table("Appendix, ShuffleNet v1-50", "kernel filters stride", {"conv1_x": "3x3 64 2"}),
        *table("Appendix, ShuffleNet v1-50", "kernel stride", {"pool": "3x3 2"}),
        *each(
            "size",
            "Appendix, ShuffleNet v1-50, output size and last 1x1",
            {
                "conv1_x": "64x112x112",
                "conv2_x": "360x56x56",
                "conv3_x": "720x28x28",
                "conv4_x": "1440x14x14",
                "conv5_x": "2880x7x7",
            },
        ),
        *table(
            "Appendix, ShuffleNet v1-50",
            "repeats kernel:*.gconv1 kernel:*.dwconv kernel:*.gconv2",
            {
                "conv2_x": "3 1x1 3x3 1x1",
                "conv3_x": "4 1x1 3x3 1x1",
                "conv4_x": "6 1x1 3x3 1x1",
                "conv5_x": "3 1x1 3x3 1x1",
            },
        ),
        *each(
            "groups",
            "Appendix: group = 3",
            {"conv3_x.*.gconv?": "3", "conv4_x.*.gconv?": "3", "conv5_x.*.gconv?": "3"},
        ),
        Claim("units", "1000", "Appendix, 1000-d fc", "fc"),
        Claim("macs", "2.3G", "Table 6 and appendix, FLOPs"),
        Claim("layers", "50", "Table 6: ShuffleNet v1-50"),
    )
}
