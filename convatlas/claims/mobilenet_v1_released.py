"""What is printed of the networks of nets/mobilenet_v1_released.py."""

from convatlas.claim import Claim, each

CLAIMS = {
    "mobilenet_v1_released": (
        *each(
            "macs",
            "mobilenet_v1.py, its first lines",
            {
                "conv1": "10,838,016",
                "conv2.dw": "3,612,672",
                "conv2.pw": "25,690,112",
                "conv3.dw": "1,806,336",
                "conv3.pw": "25,690,112",
                "conv4.dw": "3,612,672",
                "conv4.pw": "51,380,224",
                "conv5.dw": "903,168",
                "conv5.pw": "25,690,112",
                "conv6.dw": "1,806,336",
                "conv6.pw": "51,380,224",
                "conv7.dw": "451,584",
                "conv7.pw": "25,690,112",
                "conv8.dw": "903,168",
                "conv8.pw": "51,380,224",
                "conv12.dw": "903,168",
                "conv12.pw": "51,380,224",
                "conv13.dw": "225,792",
                "conv13.pw": "25,690,112",
                "conv14.dw": "451,584",
                "conv14.pw": "51,380,224",
            },
            by="release",
        ),
        *(
            Claim("macs", number, "README", by="release", at=side)
            for side, number in (
                ("224x224", "569M"),
                ("192x192", "418M"),
                ("160x160", "291M"),
                ("128x128", "186M"),
            )
        ),
    ),
    "mobilenet_v1_released_x0_75": each(
        "macs",
        "mobilenet_v1.py, its first lines",
        {"conv1": "2,654,208", "conv2.dw": "884,736", "conv14.pw": "9,437,184"},
        by="release",
        at="128x128",
    ),
    "mobilenet_v1_released_x0_5": (
        Claim("macs", "110M", "README", by="release", at="192x192"),
        Claim("macs", "77M", "README", by="release", at="160x160"),
        Claim("macs", "49M", "README", by="release", at="128x128"),
    ),
    "mobilenet_v1_released_x0_25": (
        Claim("macs", "21M", "README", by="release", at="160x160"),
        Claim("macs", "14M", "README", by="release", at="128x128"),
    ),
}
