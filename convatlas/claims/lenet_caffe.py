"""What is printed of the networks of nets/lenet_caffe.py."""

from convatlas.claim import Claim, each

CLAIMS = {
    "lenet_caffe": (
        Claim("size", "20x24x24", "The example's readme: Top shape", "conv1", by="caffe"),
        *each("units", "lenet.prototxt, num_output", {"ip1": "500", "ip2": "10"}, by="caffe"),
    ),
}
