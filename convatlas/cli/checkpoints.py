"""convert: checkpoints from one library's names to another's."""

from pathlib import Path
from typing import Literal


def convert(
    file: Path,
    *,
    network: str,
    to: Literal["safetensors", "torchvision", "timm"] = "safetensors",
    output: Path | None = None,
    source: str | None = None,
    ema: bool = False,
) -> int:
    """Convert a checkpoint, and certify what was read: its hash, its tensors, its recorded answer.

    Parameters
    ----------
    file: Path
        A checkpoint of torchvision, timm, a paper's authors or convatlas: .safetensors, a
        state_dict of torch.save, or a file of TensorFlow, Keras, Caffe or ONNX.
    network: str
        The network that it is for: a name from `convatlas list`.
    to: str
        Whose names to write: our own (with the network and an answer recorded), torchvision's or
        timm's.
    output: Path
        The file to write; by default NETWORK.safetensors, NETWORK-torchvision.pth or
        NETWORK-timm.safetensors here.
    source: str
        Where the file comes from, such as timm or timm:tf_efficientnet_b0, where its names fit
        several networks.
    ema: bool
        Read the running average, where the file holds one beside the raw weights.
    """
    from convatlas.conversion import convert as convert_file
    from convatlas.registry import require, stored_facts
    from convatlas.weights.writing import ENDINGS

    require(network, stored_facts())
    output = output or Path(f"{network}{'' if to == 'safetensors' else '-' + to}{ENDINGS[to]}")
    print(convert_file(file, network, output, to, source, ema))
    print(f"wrote {output}")
    return 0
