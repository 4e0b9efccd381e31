"""How good a network is: what is looked at of each picture, and integer counts of the answers.

    found = evaluate(net, feed, num_classes)                                # as training fits pictures
    found = evaluate(net, feed, num_classes, views=Views("10", (256,)))     # ten crops of the 256-pixel square
    found.accuracy, found.calibration_error, found + other_part

What belongs here: the papers' ways to test. How a picture is read and normalised belongs to data.
"""
from convatlas.evaluate.counts import BINS, Evaluation, confusion_of
from convatlas.evaluate.dense import convolutional
from convatlas.evaluate.measure import evaluate, require_views
from convatlas.evaluate.views import CROPS, Views, ViewsError

__all__ = ["BINS", "CROPS", "Evaluation", "Views", "ViewsError", "confusion_of", "convolutional", "evaluate",
           "require_views"]
