"""What is printed of the networks of nets/alexnet_owt.py."""

from convatlas.claim import counts

CLAIMS = {
    "alexnet_owt": (*counts("AlexNet_Weights", "61,100,840", "0.714G", by="torchvision"),),
}
