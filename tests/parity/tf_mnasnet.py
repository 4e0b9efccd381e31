"""MnasNet's release (tensorflow/tpu, models/official/mnasnet), written from its code in plain
functions, like the graphs of tf_slim.py.

A layer of Keras has a number in the whole model, given when it is made: those of the blocks first,
then the stem's, then the head's. A norm has one in the scope in which it is called.
"""

import torch.nn.functional as F
from tf_slim import Keras, make_divisible, pad_same
from torch import Tensor

# mnasnet_models.py: repeats, kernel, stride, expansion, input, output, gate
A1 = (
    *((1, 3, 1, 1, 32, 16, 0), (2, 3, 2, 6, 16, 24, 0), (3, 5, 2, 3, 24, 40, 0.25)),
    *((4, 3, 2, 6, 40, 80, 0), (2, 3, 1, 6, 80, 112, 0.25), (3, 5, 2, 6, 112, 160, 0.25)),
    (1, 3, 1, 6, 160, 320, 0),
)
B1 = (
    *((1, 3, 1, 1, 32, 16, 0), (3, 3, 2, 3, 16, 24, 0), (3, 5, 2, 3, 24, 40, 0)),
    *((3, 5, 2, 6, 40, 80, 0), (2, 3, 1, 6, 80, 96, 0), (4, 5, 2, 6, 96, 192, 0)),
    (1, 3, 1, 6, 192, 320, 0),
)
SMALL = (
    *((1, 3, 1, 1, 16, 8, 0), (1, 3, 2, 3, 8, 16, 0), (2, 3, 2, 6, 16, 16, 0)),
    *((4, 5, 2, 6, 16, 32, 0.25), (3, 3, 1, 6, 32, 32, 0.25), (3, 5, 2, 6, 32, 88, 0.25)),
    (1, 3, 1, 6, 88, 144, 0),
)
BLOCKS = {"a1": (32, A1), "b1": (32, B1), "small": (8, SMALL)}


class Made:
    """Numbers for the layers of one kind."""

    def __init__(self, word: str):
        self.word = word
        self.count = 0

    def __call__(self) -> str:
        self.count += 1
        return f"{self.word}_{self.count - 1}" if self.count > 1 else self.word


def block(s: Keras, x: Tensor, scope: str, row: tuple, convs: Made, depthwise: Made) -> Tensor:
    """MnasBlock. `said` is what the block is told to read: the small network's first, wrongly."""
    k, stride, ratio, said, c, gate = row
    norms = Made("batch_normalization")
    net, inner = x, ratio * x.shape[1]

    def norm(y: Tensor) -> Tensor:
        return s.norm(y, f"{scope}/{norms()}")

    if ratio != 1:
        net = norm(s.conv(net, inner, 1, f"mnas_net_model/{scope}/{convs()}")).relu()
    name = f"mnas_net_model/{scope}/{depthwise()}/depthwise_kernel"
    w = s.variable(name, (k, k, inner, 1), std=(2 / k**2) ** 0.5).permute(2, 3, 0, 1)
    net = norm(F.conv2d(pad_same(net, (k, k), stride), w, stride=stride, groups=inner)).relu()
    if gate:
        squeezed = net.mean((2, 3), keepdim=True)
        fewer = max(1, int(said * gate))
        squeezed = s.biased(squeezed, fewer, f"mnas_net_model/{scope}/se/{convs()}").relu()
        net = net * s.biased(squeezed, inner, f"mnas_net_model/{scope}/se/{convs()}").sigmoid()
    net = norm(s.conv(net, c, 1, f"mnas_net_model/{scope}/{convs()}"))
    return net + x if stride == 1 and said == c else net


def rows(blocks: tuple, width: float) -> list[tuple]:
    """One for each layer: kernel, stride, expansion, input, output, gate."""
    found = []
    for repeats, k, stride, ratio, read, c, gate in blocks:
        read, c = make_divisible(read * width), make_divisible(c * width)
        found.append((k, stride, ratio, read, c, gate))
        found += [(k, 1, ratio, c, c, gate)] * (repeats - 1)
    return found


def mnasnet(s: Keras, x: Tensor, form: str, width: float, classes: int) -> Tensor:
    stem, blocks = BLOCKS[form]
    layers = rows(blocks, width)
    per_block = [1 + (ratio != 1) + 2 * bool(gate) for _, _, ratio, _, _, gate in layers]
    first = f"mnas_net_model/mnas_stem/conv2d_{sum(per_block)}"
    last = f"mnas_net_model/mnas_head/conv2d_{sum(per_block) + 1}"
    x = s.conv(x, make_divisible(stem * width), 3, first, stride=2)
    x = s.norm(x, "mnas_stem/batch_normalization").relu()
    convs, depthwise = Made("conv2d"), Made("depthwise_conv2d")
    for i, row in enumerate(layers):
        x = block(s, x, f"mnas_blocks_{i}", row, convs, depthwise)
    x = s.norm(s.conv(x, 1280, 1, last), "mnas_head/batch_normalization").relu()
    x = x.mean((2, 3))
    return s.dense(x, classes, "mnas_net_model/mnas_head/dense", ("kernel", "bias"))
