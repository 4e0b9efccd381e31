"""How good a network is: what is looked at of each image, and integer counts of the answers.

    found = evaluate(net, loader, num_classes)                            # as training fits images
    found = evaluate(net, loader, num_classes, views=MultiCrop("10", (256,)))   # ten crops
    found.accuracy, found.calibration_error, found + other_part

What belongs here: the papers' ways to test. How an image is read and normalised belongs to data.
"""

from convatlas.evaluation.chance import chance_line, is_at_chance
from convatlas.evaluation.counts import BINS, Evaluation
from convatlas.evaluation.dense import convolutional
from convatlas.evaluation.measure import evaluate, require_multi_crop
from convatlas.evaluation.multi_crop import CROPS, MultiCrop
from convatlas.evaluation.noting import Noting

__all__ = [
    "BINS",
    "CROPS",
    "Evaluation",
    "MultiCrop",
    "Noting",
    "chance_line",
    "convolutional",
    "evaluate",
    "is_at_chance",
    "require_multi_crop",
]
