"""What is printed of the networks of nets/nin.py."""

from convatlas.claim import Claim

CLAIMS = {
    "nin_imagenet": (
        Claim("bytes", "29MB", "Network in Network: a small (29MB) model", by="caffe zoo"),
    ),
}
