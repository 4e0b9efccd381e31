"""What is printed of the networks of nets/nin.py."""

from convatlas.claim import Claim

CLAIMS = {
    "nin_imagenet": (Claim("bytes", "29MB", "Model Zoo: a small (29MB) model", by="caffe"),),
}
