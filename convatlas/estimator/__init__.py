"""A network of the atlas as scikit-learn knows estimators: fit, predict, score.

    from convatlas import ConvClassifier
    ConvClassifier("lenet_caffe", epochs=10).fit(images, labels).score(others, their_labels)

What belongs here: arrays in, arrays out. How a network learns belongs to training.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convatlas.estimator.classifier import ConvClassifier

__all__ = ["ConvClassifier"]

if not TYPE_CHECKING:  # scikit-learn is a second's worth of imports

    def __getattr__(name: str):
        if name != "ConvClassifier":
            raise AttributeError(f"module 'convatlas.estimator' has no attribute {name!r}")
        from convatlas.estimator.classifier import ConvClassifier

        return ConvClassifier
