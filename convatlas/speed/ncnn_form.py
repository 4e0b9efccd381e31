"""A network in ncnn, Tencent's engine for small machines: it counts 3x3 convolutions in Winograd's
form, which has fewer multiplications than their definition.
"""

import os
import subprocess
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from convatlas.errors import ExportError
from convatlas.model_file import Saved

# how the names of layers begin that pnnx leaves as torch calls them, ncnn having no such layer
UNREAD = ("aten::", "F.", "nn.", "pnnx.", "prim::", "Tensor.", "torch.", "torchvision.")


def ncnn_form(saved: Saved, threads: int) -> Callable[[Tensor], Tensor]:
    """Logits (N, classes) of images (N, channels, side, side), one image after the other, in
    float32 throughout. ExportError where ncnn has not all layers of the network.
    """
    import ncnn

    network = ncnn.Net()
    options = network.opt
    options.num_threads = threads
    options.use_fp16_packed = options.use_fp16_storage = options.use_fp16_arithmetic = False
    with tempfile.TemporaryDirectory() as folder:
        layers, weights = _converted(saved, Path(folder))
        if network.load_param(str(layers)) or network.load_model(str(weights)):
            raise ExportError(f"ncnn cannot read {saved.network}; choose another engine")

    def answer(images: Tensor) -> Tensor:
        return torch.from_numpy(np.stack([one(np.ascontiguousarray(x)) for x in images.numpy()]))

    def one(image: np.ndarray) -> np.ndarray:
        call = network.create_extractor()
        call.input("in0", ncnn.Mat(image))
        failed, logits = call.extract("out0")
        if failed:
            raise ExportError(f"ncnn does not get through {saved.network}; choose another engine")
        return np.array(logits)

    return answer


def _converted(saved: Saved, folder: Path) -> tuple[Path, Path]:
    """The files of layers and of weights that ncnn reads."""
    import pnnx

    shape = (1, saved.preprocess.channels, *2 * (saved.preprocess.side,))
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # TorchScript is deprecated, and all that pnnx reads
        traced = torch.jit.trace(saved.net, torch.zeros(shape), check_trace=False)
    traced.save(folder / "net.pt")
    told = f"inputshape={list(shape)}".replace(" ", "")
    unwanted = [f"{kind}={os.devnull}" for kind in ("pnnxbin", "pnnxonnx")]
    # pnnx.convert would print, and leave the exit code unread
    done = subprocess.run(
        [pnnx.EXEC_PATH, "net.pt", told, "fp16=0", *unwanted], cwd=folder, capture_output=True
    )
    layers, weights = folder / "net.ncnn.param", folder / "net.ncnn.bin"
    if done.returncode or not layers.exists():
        raise ExportError(f"pnnx cannot convert {saved.network} for ncnn; choose another engine")
    kinds = [line.split()[0] for line in layers.read_text(encoding="utf-8").splitlines()[2:]]
    if unread := sorted({kind for kind in kinds if kind.startswith(UNREAD)}):
        raise ExportError(
            f"ncnn has no {', '.join(unread)}, which {saved.network} needs; choose another engine"
        )
    return layers, weights
