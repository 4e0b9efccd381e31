"""A network that ends in fully connected layers, as one convolution over images of any size
(VGG, Sec. 3.2).
"""

import torch
from torch import Tensor, fx, nn

from convatlas.errors import MultiCropError

POINTWISE = (
    nn.Linear,
    nn.ReLU,
    nn.Sigmoid,
    nn.Tanh,
    nn.Dropout,
)  # mean the same at every position of a map


class Dense(nn.Module):
    """(N, C, H, W), no smaller than the network's own input -> logits (N, classes), the mean over
    all positions.
    """

    def __init__(self, net: nn.Module):
        super().__init__()
        self.maps = convolutional(net) if net.largest else net

    def forward(self, x: Tensor) -> Tensor:
        scores = self.maps(x)
        return scores.mean((2, 3)) if scores.ndim == 4 else scores


def convolutional(net: nn.Module) -> nn.Module:
    """The same function of images of any size: (N, C, H, W) -> logits (N, classes, h, w), one for
    each position.

    The first fully connected layer becomes a convolution whose kernel is the map it reads, weights
    in the order (C, H, W) in which the map was flattened; the others become 1x1. Weights are shared
    with `net`, which stays as it is. Raises MultiCropError for a network that has something else
    than fully connected layers after its maps.
    """
    try:
        traced = fx.symbolic_trace(net.eval())
    except Exception:  # tracing fails in as many ways as forwards can be written
        raise _cannot(net, "its forward pass depends on the image") from None
    sizes = _flattened(traced, net)
    if not sizes:
        raise _cannot(net, "no fully connected layer reads its maps")
    kernels: dict[
        fx.Node, tuple[int, int]
    ] = {}  # nodes after the maps: the kernel that a fully connected layer needs
    for node in list(traced.graph.nodes):
        before = [other for other in node.all_input_nodes if other in kernels]
        if node in sizes:
            kernels[node.args[0]] = sizes[node]
            node.replace_all_uses_with(node.args[0])
            traced.graph.erase_node(node)
        elif before and node.op != "output":
            module = traced.get_submodule(node.target) if node.op == "call_module" else None
            if not isinstance(module, POINTWISE):
                raise _cannot(net, f"{node.target} stands after its maps")
            kernels[node] = kernels[before[0]]
            if isinstance(module, nn.Linear):
                _replace(traced, node.target, as_convolution(module, kernels[node]))
                kernels[node] = (1, 1)
    traced.recompile()
    return traced


def as_convolution(full: nn.Linear, kernel: tuple[int, int]) -> nn.Conv2d:
    """The convolution that does at every position what `full` does to one flattened (C, *kernel)
    map.
    """
    channels = full.in_features // (kernel[0] * kernel[1])
    conv = nn.Conv2d(channels, full.out_features, kernel, bias=full.bias is not None, device="meta")
    conv.weight = nn.Parameter(full.weight.detach().unflatten(1, (channels, *kernel)))
    if full.bias is not None:
        conv.bias = nn.Parameter(full.bias.detach())
    return conv.train(full.training)


def _flattened(traced: fx.GraphModule, net: nn.Module) -> dict[fx.Node, tuple[int, int]]:
    """The nodes that flatten a map, with its height and width at the network's own input size."""
    found: dict[fx.Node, tuple[int, int]] = {}

    class Sizes(fx.Interpreter):
        def run_node(self, node: fx.Node):
            if node.target in ("flatten", torch.flatten):
                found[node] = tuple(self.env[node.args[0]].shape[2:])
            return super().run_node(node)

    parameter = next(net.parameters())
    with torch.inference_mode():
        Sizes(traced).run(
            torch.zeros(1, *net.input_size, dtype=parameter.dtype, device=parameter.device)
        )
    return found


def _replace(traced: fx.GraphModule, path: str, module: nn.Module) -> None:
    parent, _, leaf = path.rpartition(".")
    setattr(
        traced.get_submodule(parent), leaf, module
    )  # the containers are the trace's own, the layers the net's


def _cannot(net: nn.Module, why: str) -> MultiCropError:
    return MultiCropError(
        f"{net.name or type(net).__name__} cannot be evaluated densely, as a convolution: {why}; "
        "use crops"
    )
