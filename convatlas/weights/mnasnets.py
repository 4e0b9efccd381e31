"""MnasNets in TensorFlow's checkpoints (github.com/tensorflow/tpu), whose layers are numbered
through the whole network, and whose norms by block.
"""

from collections.abc import Iterator
from typing import NamedTuple

from convatlas.weights.names import Rules, moved


class Blocks(NamedTuple):
    """Seven blocks; the first does not expand."""

    layers: tuple[int, ...]  # of each
    gated: tuple[int, ...]  # the numbers of those with squeeze-and-excitation


A1 = Blocks((1, 2, 3, 4, 2, 3, 1), (3, 5, 6))
B1 = Blocks((1, 3, 3, 3, 2, 4, 1), ())
SMALL = Blocks((1, 1, 2, 4, 3, 3, 1), (4, 5, 6))

VARIABLES: Rules = (
    (r"(batch_normalization(?:_\d)?)\.weight$", r"\1/gamma"),
    (r"(batch_normalization(?:_\d)?)\.bias$", r"\1/beta"),
    (r"\.running_mean$", "/moving_mean"),
    (r"\.running_var$", "/moving_variance"),
    (r"(depthwise_conv2d(?:_\d+)?)\.weight$", r"\1/depthwise_kernel"),
    (r"\.weight$", "/kernel"),
    (r"\.bias$", "/bias"),
    (r"\.num", "/num"),
)


def _numbered(word: str, number: int) -> str:
    return f"{word}_{number}" if number else word


def _within(block: int, gated: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    """The convolutions of a layer of a block, in the order in which they are made, and their inner
    scopes.
    """
    if block > 1:
        yield "expand.conv", ""
    if block in gated:
        yield "se.squeeze", "se/"
        yield "se.excite", "se/"
    yield "project.conv", ""


def _norms(block: int) -> list[str]:
    return [*(["expand.bn"] if block > 1 else []), "depthwise.bn", "project.bn"]


def rules(name: str, blocks: Blocks) -> Rules:
    """Our modules to variables; `name` is the release's own of the network, their outermost
    scope.
    """
    model = f"{name}/mnas_net_model"
    places: dict[str, str] = {}
    convolutions = depth = 0
    for block, layers in enumerate(blocks.layers, start=1):
        for i in range(layers):
            ours = rf"block{block}\.{i}\.layers\."
            scope = f"mnas_blocks_{depth}"
            for layer, inner in _within(block, blocks.gated):
                kernel = _numbered("conv2d", convolutions)
                places[ours + layer] = f"{model}/{scope}/{inner}{kernel}"
                convolutions += 1
            kernel = _numbered("depthwise_conv2d", depth)
            places[f"{ours}depthwise.conv"] = f"{model}/{scope}/{kernel}"
            for number, norm in enumerate(_norms(block)):
                places[ours + norm] = f"{name}/{scope}/{_numbered('batch_normalization', number)}"
            depth += 1
    for ours, scope in (("conv1", "mnas_stem"), ("conv2", "mnas_head")):
        places[f"{ours}.conv.conv"] = f"{model}/{scope}/{_numbered('conv2d', convolutions)}"
        places[f"{ours}.conv.bn"] = f"{name}/{scope}/batch_normalization"
        convolutions += 1
    places["fc"] = f"{model}/mnas_head/dense"
    return (*moved(places), *VARIABLES)
