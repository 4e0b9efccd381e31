"""What stands round a network, as a module and as a prefix of the names of its weights."""

from collections.abc import Mapping

from torch import Tensor, nn

MODULES = ("module", "_orig_mod")  # DataParallel and its like, averaged weights; torch.compile
PREFIXES = (*(f"{name}." for name in MODULES), "model.")  # the last: a trainer's own


def unwrapped(net: nn.Module) -> nn.Module:
    """The network inside DataParallel, DistributedDataParallel, AveragedModel or torch.compile."""
    children = dict(net.named_children())
    if len(children) == 1 and children.keys() <= set(MODULES):
        return unwrapped(*children.values())
    return net


def without_wrappers(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors without a prefix that all names share because something was wrapped round the
    network.
    """
    for prefix in PREFIXES:
        if tensors and all(name.startswith(prefix) for name in tensors):
            return without_wrappers(
                {name[len(prefix) :]: tensor for name, tensor in tensors.items()}
            )
    return dict(tensors)
