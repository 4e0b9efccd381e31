"""convatlas: the classic convolutional networks, each exactly as its paper printed it.

    net = convatlas.create_model("resnet50")        # the printed network
    print(convatlas.summary(net))                   # its layers, parameters, multiply-adds
    convatlas.train("modern", network="resnet20_cifar", data="path/to/folder-of-class-folders")

Names are looked up on first use, so that `import convatlas` costs nothing and loads no torch.
"""

from importlib import import_module as _import
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what editors and type checkers see; a test holds it equal to _HOMES
    from convatlas.anatomy import diff, features, summary
    from convatlas.answer import Prediction
    from convatlas.conversion import convert
    from convatlas.costing import cost
    from convatlas.data import check_data
    from convatlas.drawing import Drawing, draw
    from convatlas.errors import Error
    from convatlas.estimator import ConvClassifier
    from convatlas.explanation import Explanation, explain
    from convatlas.finished_run import evaluate
    from convatlas.identification import identify
    from convatlas.layers import FeatureMaps, Network
    from convatlas.model_file import Saved, load_model
    from convatlas.prediction import predict
    from convatlas.published_model import open_network
    from convatlas.publishing.hub import from_pretrained, model_card, push_to_hub
    from convatlas.registry import create_model, describe, list_models
    from convatlas.reporting import report
    from convatlas.scaling import Scaling, scale
    from convatlas.study import compare
    from convatlas.training import Callback, RateSearch, Recipe, lr_find, train
    from convatlas.verification import verify
    from convatlas.weights import Certificate, load_weights, save_weights

__version__ = "0.1.0"

__all__ = [
    "Callback",
    "Certificate",
    "ConvClassifier",
    "Drawing",
    "Error",
    "Explanation",
    "FeatureMaps",
    "Network",
    "Prediction",
    "RateSearch",
    "Recipe",
    "Saved",
    "Scaling",
    "check_data",
    "compare",
    "convert",
    "cost",
    "create_model",
    "describe",
    "diff",
    "draw",
    "evaluate",
    "explain",
    "features",
    "from_pretrained",
    "identify",
    "list_models",
    "load_model",
    "load_weights",
    "lr_find",
    "model_card",
    "open_network",
    "predict",
    "push_to_hub",
    "report",
    "save_weights",
    "scale",
    "summary",
    "train",
    "verify",
]

_HOMES = {
    "Callback": "training",
    "Certificate": "weights",
    "ConvClassifier": "estimator",
    "Drawing": "drawing",
    "Error": "errors",
    "Explanation": "explanation",
    "FeatureMaps": "layers",
    "Network": "layers",
    "Prediction": "answer",
    "RateSearch": "training",
    "Recipe": "training",
    "Saved": "model_file",
    "Scaling": "scaling",
    "check_data": "data",
    "compare": "study",
    "convert": "conversion",
    "cost": "costing",
    "create_model": "registry",
    "describe": "registry",
    "diff": "anatomy",
    "draw": "drawing",
    "evaluate": "finished_run",
    "explain": "explanation",
    "features": "anatomy",
    "from_pretrained": "publishing.hub",
    "identify": "identification",
    "list_models": "registry",
    "load_model": "model_file",
    "load_weights": "weights",
    "lr_find": "training",
    "model_card": "publishing.hub",
    "open_network": "published_model",
    "predict": "prediction",
    "push_to_hub": "publishing.hub",
    "report": "reporting",
    "save_weights": "weights",
    "scale": "scaling",
    "summary": "anatomy",
    "train": "training",
    "verify": "verification",
}


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


if not TYPE_CHECKING:  # a checker that saw this would let every misspelt name pass

    def __getattr__(name: str):
        if name not in _HOMES:
            raise AttributeError(f"module 'convatlas' has no attribute {name!r}")
        return getattr(_import(f"convatlas.{_HOMES[name]}"), name)
