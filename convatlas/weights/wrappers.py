"""What stands round a network as a module."""

from torch import nn

MODULES = ("module", "_orig_mod")  # DataParallel and its like, averaged weights; torch.compile


def unwrapped(net: nn.Module) -> nn.Module:
    """The network inside DataParallel, DistributedDataParallel, AveragedModel or torch.compile."""
    children = dict(net.named_children())
    if len(children) == 1 and children.keys() <= set(MODULES):
        return unwrapped(*children.values())
    return net
