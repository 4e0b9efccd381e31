"""What every network of the atlas offers beyond torch.nn.Module."""

import torch.nn as nn
from torch import Tensor


class Network(nn.Module):
    """Images (N, C, H, W) in, logits (N, num_classes) out, in training too.

    A subclass states `stages`, the paper's names of the modules where resolution or block family
    changes, in order, and where they differ from the defaults below: the printed input side, the
    legal sides, and the classifiers' paths. An image of another size or channel count raises
    ValueError, naming the network and what it reads.
    """

    name = ""  # create_model writes the catalogue's name here
    side = 224  # the input the paper prints, in pixels
    smallest = 1  # legal input sides, in pixels
    largest: int | None = None  # None: no limit
    stages: tuple[str, ...] = ()
    classifier_path = "fc"
    auxiliary_paths: tuple[str, ...] = ()  # the last layers of the heads that only training reads
    cam_path = ""  # the layer whose maps class activation maps read; "" means the last stage

    def __init__(self, in_channels: int):
        super().__init__()
        self.in_channels = in_channels
        self.register_forward_pre_hook(_check_input)

    @property
    def input_size(self) -> tuple[int, int, int]:
        """(channels, height, width) as printed."""
        return self.in_channels, self.side, self.side

    def check_size(self, height: int, width: int) -> None:
        """Raises ValueError, naming the network and the legal sizes, for images that it cannot
        read.
        """
        low, high = self.smallest, self.largest
        if min(height, width) < low or (high is not None and max(height, width) > high):
            legal = (
                f"of {low}x{low} pixels or more"
                if high is None
                else f"from {low}x{low} to {high}x{high} pixels"
            )
            raise ValueError(
                f"{self.name or type(self).__name__} reads images {legal}, not {height}x{width}; "
                f"the paper's size is {self.side}x{self.side}"
            )

    @property
    def classifier(self) -> nn.Module:
        return self.get_submodule(self.classifier_path)

    @property
    def cam_layer(self) -> nn.Module:
        return self.get_submodule(self.cam_path or self.stages[-1])

    def initialise(self, layer: nn.Module) -> None:
        """The paper's initial weights of one layer; PyTorch's own where a network does not say
        otherwise.
        """

    def reset_classifier(self, num_classes: int) -> None:
        """Give every head a fresh classifier for `num_classes`, initialised as the paper does.

        Raises ValueError, naming the network, for less than one class.
        """
        if num_classes < 1:
            raise ValueError(
                f"{self.name or type(self).__name__}: num_classes must be 1 or more, not "
                f"{num_classes}"
            )
        for path in (self.classifier_path, *self.auxiliary_paths):
            parent, _, leaf = path.rpartition(".")
            fresh = _like(self.get_submodule(path), num_classes)
            fresh.apply(self.initialise)
            setattr(self.get_submodule(parent), leaf, fresh)


def _like(old: nn.Module, num_classes: int) -> nn.Module:
    if isinstance(old, nn.Linear):
        fresh = nn.Linear(old.in_features, num_classes, bias=old.bias is not None)
    elif isinstance(old, nn.Conv2d):
        fresh = nn.Conv2d(old.in_channels, num_classes, old.kernel_size, bias=old.bias is not None)
    else:
        fresh = type(old)(num_classes)
    reference = next(iter([*old.parameters(), *old.buffers()]))
    return fresh.to(reference.device, reference.dtype).train(old.training)


def _check_input(net: Network, args: tuple[Tensor, ...]) -> None:
    x = args[0]
    if x.ndim != 4 or x.shape[1] != net.in_channels:
        raise ValueError(
            f"{net.name or type(net).__name__} reads batches of {net.in_channels}-channel images "
            f"(N, {net.in_channels}, H, W); this batch is {tuple(x.shape)}"
        )
    net.check_size(*x.shape[2:])
