"""The same network in another library, with the same weights."""

import warnings

import torch.nn as nn

from convatlas.deploy.engines import needed
from convatlas.elsewhere.networks import called
from convatlas.errors import ExportError
from convatlas.model_file import Saved
from convatlas.settings import shown
from convatlas.weights.sources import TABLES
from convatlas.weights.translating import translated

LIBRARIES = ("torchvision", "timm")
TRAINING_ONLY = ("aux", "AuxLogits")  # heads that answers do not depend on


def theirs(saved: Saved, library: str) -> tuple[str, nn.Module]:
    """Its name there, and the module with our weights in evaluation mode.

    Raises ExportError for another library, one that is not installed, and a network that it does
    not have.
    """
    if library not in LIBRARIES:
        raise ExportError(
            f"there is no library {shown(library)} to compare with; allowed: "
            f"{' | '.join(LIBRARIES)}"
        )
    names = [one.theirs for one in called(saved.network) if one.library == library]
    if not names:
        raise ExportError(f"{library} has no network with the graph of {saved.network}")
    net = _made(library, names[0], len(saved.classes))
    state = translated(TABLES[library][names[0]], saved.net.state_dict())
    missing, surplus = net.load_state_dict(_fitting(net, state), strict=False)
    if lost := [name for name in [*missing, *surplus] if not name.startswith(TRAINING_ONLY)]:
        raise ExportError(f"{library}'s {names[0]} has other weights than ours: {lost[0]}")
    return names[0], net.eval()


def _made(library: str, name: str, classes: int) -> nn.Module:
    needed(library, "dev", f"--against {library}")
    with warnings.catch_warnings(action="ignore"):  # torchvision warns of its own default weights
        if library == "timm":
            import timm

            return timm.create_model(name, num_classes=classes)
        import torchvision

        heads = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
        return torchvision.models.get_model(name, weights=None, num_classes=classes, **heads)


def _fitting(net: nn.Module, state: dict) -> dict:
    """Without heads for training that only one of the two has."""
    there = net.state_dict()
    return {
        name: tensor
        for name, tensor in state.items()
        if name in there or not name.startswith(TRAINING_ONLY)
    }
