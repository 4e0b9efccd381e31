"""What torch.hub lists and loads: every network of the atlas, under its name.

net = torch.hub.load("path/to/this/folder", "resnet50", source="local")
"""

from convatlas.entry_points import entry_points as _entry_points

dependencies = ["torch", "torchvision", "numpy", "safetensors"]  # to create and to fill a network
globals().update(_entry_points())
