"""What a user of the engines would write, in a few lines each, for another library's module: what
our forms are held against.
"""

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
import torch.nn as nn
from torch import Tensor

Answer = Callable[[Tensor], Tensor]


def onnxruntime(net: nn.Module, images: Tensor, threads: int) -> Answer:
    import onnxruntime as ort

    with tempfile.TemporaryDirectory() as folder, quiet():
        file = str(Path(folder) / "net.onnx")
        torch.onnx.export(net, (images,), file, dynamo=True, verbose=False)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        session = ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda x: torch.from_numpy(session.run(None, {name: x.numpy()})[0])


def openvino(net: nn.Module, images: Tensor, threads: int, precision: str) -> Answer:
    import openvino as ov

    with quiet():
        model = ov.convert_model(net, example_input=images, input=[tuple(images.shape)])
    settings = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": threads}
    compiled = ov.compile_model(model, "CPU", settings)
    return lambda x: torch.from_numpy(compiled(x.numpy())[0])


def inductor(net: nn.Module, images: Tensor, threads: int, precision: str) -> Answer:
    compiled = torch.compile(net, options={"freezing": True})

    def answer(x: Tensor) -> Tensor:
        torch.set_num_threads(threads)
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            return compiled(x).float()

    answer(images)
    return answer


def eager(net: nn.Module, threads: int) -> Answer:
    def answer(x: Tensor) -> Tensor:
        torch.set_num_threads(threads)
        with torch.inference_mode():
            return net(x)

    return answer


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without what exporters say of their own steps."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)
