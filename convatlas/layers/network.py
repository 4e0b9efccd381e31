"""What every network of the atlas offers beyond torch.nn.Module."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
import torch.nn as nn
from torch import Tensor

from convatlas.errors import Error, InputError
from convatlas.layers.heads import TakenOff, following, original, width_of
from convatlas.notebook import Bar, folded, heading, table

if TYPE_CHECKING:
    from convatlas.layers.feature_maps import FeatureInfo

SINGLE_VALUE = "more than 1 value per channel"  # as torch's batch norm says it


class Network(nn.Module):
    """Images (N, C, H, W) in, logits (N, num_classes) out, in training too.

    A subclass states `stages`, the paper's names of the modules where resolution or block family
    changes, in order, and where they differ from the defaults below: the printed input side, the
    legal sides, and the classifiers' paths. Images of another size or channel count raise
    InputError, a ValueError that names the network and what it reads. A class that overrides the
    forward of a network may read what it likes: only what reaches the layers is checked.
    """

    name = ""  # create_model writes the catalogue's name here
    side = 224  # the input the paper prints, in pixels
    smallest = 1  # legal input sides, in pixels
    largest: int | None = None  # None: no limit
    stages: tuple[str, ...] = ()
    classifier_path = "fc"
    auxiliary_paths: tuple[str, ...] = ()  # the last layers of the heads that only training reads
    # pixels of the image from one place of a stage's maps to the next; only of networks that read
    # images of one size alone, for others it is measured
    reductions: tuple[int, ...] = ()
    cam_path = ""  # the layer whose maps class activation maps read; "" means the last stage
    certificate: Any = None  # weights.Certificate: what load_weights filled the network from
    preprocess: Any = None  # data.Preprocess: of the pictures that those weights expect
    classes: tuple[str, ...] = ()  # names of the outputs, where the weights gave them

    def __init__(self, in_channels: int):
        super().__init__()
        self.in_channels = in_channels

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "forward" in vars(cls) and super(cls, cls).forward is nn.Module.forward:
            cls.forward = _checked(cls.forward)

    def _repr_html_(self) -> str:
        """For notebooks: its stages and their parameters; all modules behind a title."""
        modules = dict(self.named_modules())
        counts = [
            (path, sum(p.numel() for p in modules[path].parameters()))
            for path in dict.fromkeys((*self.stages, self.classifier_path))
            if path in modules
        ]
        whole = sum(p.numel() for p in self.parameters())
        rows = [(path, f"{count:,}", Bar(count / max(whole, 1))) for path, count in counts]
        size = "x".join(map(str, self.input_size))
        return (
            heading(self._called, f"reads {size}; {whole:,} parameters")
            + table(("stage", "params", "of all"), rows, ("params",))
            + folded("every module", repr(self))
        )

    def __prepare_scriptable__(self):
        raise Error(
            f"torch.jit.script cannot compile {self._called}: TorchScript is deprecated, and no "
            "network here is written for it; use torch.export.export, or torch.jit.trace"
        )

    @property
    def _called(self) -> str:
        return self.name or type(self).__name__

    @property
    def input_size(self) -> tuple[int, int, int]:
        """(channels, height, width) as printed."""
        return self.in_channels, self.side, self.side

    def check_size(self, height: int, width: int) -> None:
        """Raises InputError, naming the network and the legal sizes, for images that it cannot
        read.
        """
        low, high = self.smallest, self.largest
        if height < low or width < low or (high is not None and (height > high or width > high)):
            legal = (
                f"of {low}x{low} pixels or more"
                if high is None
                else f"from {low}x{low} to {high}x{high} pixels"
            )
            raise InputError(
                f"{self._called} reads images {legal}, not {height}x{width}; "
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

    @property
    def num_features(self) -> int:
        """How many numbers the classifier reads, and an embedding has: see reset_classifier."""
        return self._widths()[0]

    @property
    def num_classes(self) -> int:
        """How many outputs the classifier has; 0 where it was taken off."""
        return 0 if isinstance(self.classifier, TakenOff) else self._widths()[1]

    def _widths(self) -> tuple[int, int]:
        widths = width_of(original(self.classifier))
        if widths is None:
            raise InputError(
                f"{self._called}: {self.classifier_path} is no longer the network's own "
                "classifier; read from it yourself how many numbers it takes and gives"
            )
        return widths

    @property
    def feature_info(self) -> "FeatureInfo":
        """Of each of `stages` its name, channels and reduction, under timm's keys: see FeatureInfo.
        Found by two passes without numbers.
        """
        from convatlas.layers.feature_maps import feature_info

        return feature_info(self)

    def reset_classifier(self, num_classes: int) -> None:
        """Give every head a fresh classifier for `num_classes`, initialised as the paper does.

        With 0 it is taken off instead, and the network gives out what the classifier would read,
        averaged over the map where it would read one: an embedding, (N, net.num_features). Another
        number of classes brings a fresh one back.

        Raises InputError, naming the network, for less than no class, or where the user has put
        something else in a classifier's place.
        """
        if num_classes < 0:
            raise InputError(
                f"{self._called}: num_classes must be 1 or more, or 0 for no classifier, not "
                f"{num_classes}"
            )
        changed: dict[str, nn.Module] = {}
        for path in (self.classifier_path, *self.auxiliary_paths):
            changed[path] = self._fresh(path, num_classes)
            for after in following(self, path):
                layer = original(self.get_submodule(after))
                changed[after] = layer if num_classes else TakenOff(layer)
        for path, layer in changed.items():
            self.set_submodule(path, layer)
        self.classes = ()

    def _fresh(self, path: str, num_classes: int) -> nn.Module:
        """What a head gets: a new classifier, or with no classes what lets its input pass."""
        old = original(dict(self.named_modules()).get(path))
        if old is not None and not num_classes:
            return TakenOff(old)
        if isinstance(old, nn.Linear):
            layer = nn.Linear(old.in_features, num_classes, bias=old.bias is not None)
        elif isinstance(old, nn.Conv2d):
            layer = nn.Conv2d(
                old.in_channels, num_classes, old.kernel_size, bias=old.bias is not None
            )
        elif type(old).__module__.startswith("convatlas."):  # a layer of the paper's own kind
            layer = type(old)(num_classes)
        else:
            raise InputError(
                f"{self._called}: {path} is no longer the network's own classifier; give it "
                f"{num_classes} classes yourself, or create the network anew"
            )
        there = self.get_submodule(path)
        numbers = [*there.parameters(), *there.buffers(), *self.parameters()]  # none, if taken off
        layer.to(numbers[0].device, numbers[0].dtype).apply(self.initialise)
        return layer.train(there.training)


def _checked(forward: Callable) -> Callable:
    """The same forward, after the check of its images."""

    @functools.wraps(forward)
    def checked(net: Network, *args, **kwargs):
        _check_input(net, *args, *kwargs.values())
        if torch.compiler.is_compiling():
            return forward(net, *args, **kwargs)
        try:
            return forward(net, *args, **kwargs)
        except ValueError as error:
            if SINGLE_VALUE not in str(error):
                raise
            raise InputError(
                f"{net._called} in training cannot read one image whose last maps are 1x1, for a "
                "batch norm would see one value of each channel; give two images or more, larger "
                "ones, or net.eval()"
            ) from error

    return checked


def _check_input(net: Network, x: Any = None, *rest: Any) -> None:
    """Only what is certain: a tracer's stand-in, or a size that it leaves open, is not judged."""
    if not isinstance(x, Tensor) or not all(isinstance(size, int) for size in x.shape):
        return
    if x.ndim != 4 or x.shape[1] != net.in_channels:
        raise InputError(
            f"{net._called} reads batches of {net.in_channels}-channel images "
            f"(N, {net.in_channels}, H, W); this batch is {tuple(x.shape)}"
        )
    net.check_size(*x.shape[2:])
