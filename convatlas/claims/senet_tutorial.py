"""What is printed of the networks of nets/senet_tutorial.py."""

from convatlas.claim import counts

CLAIMS = {
    "senet18_32_tutorial": counts(
        "models/senet.py, SENet18: counted", "11,260,354", "", by="pytorch-cifar"
    ),
}
