"""The forms in which a network can answer on this processor: torch's own, and other engines'.

A form takes what `Preprocess.normalise` gives, float32 (N, channels, side, side), and gives logits,
float32 (N, classes). Which one is right and fast is for `comparing` and `timing` to say.
"""

import copy
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec

import torch
from torch import Tensor

from convatlas.deploy.engines import needed
from convatlas.deploy.openvino_cpu import compiled
from convatlas.deploy.openvino_graph import openvino_model
from convatlas.errors import ExportError
from convatlas.model_file import Saved
from convatlas.speed.ncnn_form import ncnn_form

Answer = Callable[[Tensor], Tensor]
LARGEST_BATCH = 16  # that a form is made for; more pictures go through it in several goes


@dataclass(frozen=True)
class Form:
    name: str
    engine: str  # the package that counts
    precision: str = "f32"
    extra: str = ""  # of convatlas, that installs the engine; "" where torch is enough
    packages: tuple[str, ...] = ("torch",)
    slow: bool = False  # to make: minutes, so that it is for those who ask


ONNX = ("onnx", "onnxscript")  # that write what the engines read
EAGER = Form("eager", "torch")
FORMS = {
    form.name: form
    for form in (
        EAGER,
        Form("channels_last", "torch"),
        Form("inductor", "torch", slow=True),
        Form("inductor-bf16", "torch", "bf16", slow=True),
        Form("onnxruntime", "onnxruntime", "f32", "onnx", (*ONNX, "onnxruntime")),
        Form("openvino", "openvino", "f32", "openvino", (*ONNX, "openvino")),
        Form("openvino-bf16", "openvino", "bf16", "openvino", (*ONNX, "openvino")),
        Form("ncnn", "ncnn", "f32", "ncnn", ("pnnx", "ncnn")),
    )
}
ENGINES = ("torch", "onnxruntime", "openvino", "ncnn")


def is_installed(form: Form) -> bool:
    return all(find_spec(package) for package in form.packages)


class Forms:
    """One network in its forms, each made when it is asked for. The network stays as it is."""

    def __init__(self, saved: Saved):
        self.saved = saved

    @cached_property
    def graph(self) -> bytes:
        """What ONNX Runtime and OpenVINO read; no pictures in it."""
        return self._written[0]

    @cached_property
    def _written(self) -> tuple[bytes, str]:
        """The graph, and how it calls the size of the batch."""
        from convatlas.deploy.writers import network_graph

        log = logging.getLogger("onnxscript")
        level = log.level
        log.setLevel(logging.ERROR)  # it tells of each step that it leaves out
        try:
            model = network_graph(self.saved)
        finally:
            log.setLevel(level)
        batch = model.graph.input[0].type.tensor_type.shape.dim[0].dim_param
        return model.SerializeToString(), batch

    def made(self, form: Form, threads: int | None = None) -> Answer:
        """With as many threads as torch uses, unless a number is given. ExportError where the
        engine is missing, or cannot read this network.
        """
        for package in form.packages:
            needed(package, form.extra, f"the form {form.name}")
        try:
            return self._made(form, threads or torch.get_num_threads())
        except ExportError:
            raise
        except Exception as error:  # each engine raises its own
            why = next(iter(str(error).splitlines()), type(error).__name__)
            raise ExportError(
                f"{form.engine} cannot read {self.saved.network} ({why}); choose another engine"
            ) from error

    def _made(self, form: Form, threads: int) -> Answer:
        if form.engine == "onnxruntime":
            return _in_goes(lambda batch: self._onnxruntime(batch, threads))
        if form.engine == "openvino":
            return _in_goes(lambda batch: self._openvino(batch, threads, form.precision))
        if form.engine == "ncnn":
            return ncnn_form(self.saved, threads)
        return self._torch(form, threads)

    def _torch(self, form: Form, threads: int) -> Answer:
        net, layout = self.saved.net, torch.contiguous_format
        if form.name == "channels_last":
            layout = torch.channels_last
            net = copy.deepcopy(net).to(memory_format=layout)
        elif form.name.startswith("inductor"):
            net = torch.compile(copy.deepcopy(net), options={"freezing": True})
        half = form.precision == "bf16"
        # Freezing needs gradients to be off while it compiles, and refuses tensors of inference.
        still = torch.no_grad if form.slow else torch.inference_mode

        def answer(images: Tensor) -> Tensor:
            usual = torch.get_num_threads()  # one setting for the whole process
            torch.set_num_threads(threads)
            try:
                with still(), torch.autocast("cpu", torch.bfloat16, enabled=half):
                    return net(images.contiguous(memory_format=layout)).float()
            finally:
                torch.set_num_threads(usual)

        return answer

    def _onnxruntime(self, batch: int, threads: int) -> Answer:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.log_severity_level = 3  # it warns of constants that its own folding leaves unused
        options.intra_op_num_threads = threads
        options.add_free_dimension_override_by_name(self._written[1], batch)
        session = ort.InferenceSession(self.graph, options, providers=["CPUExecutionProvider"])

        def answer(images: Tensor) -> Tensor:
            return torch.from_numpy(session.run(["logits"], {"images": images.numpy()})[0])

        return answer

    def _openvino(self, batch: int, threads: int, precision: str) -> Answer:
        import openvino as ov

        whole = openvino_model(ov, self.graph)
        model = ov.Model([whole.output("logits")], whole.get_parameters(), "logits")
        channels, side = self.saved.preprocess.channels, self.saved.preprocess.side
        model.reshape([batch, channels, side, side])
        settings = {
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": threads,
            "PERFORMANCE_HINT": "LATENCY",
        }
        network = compiled(ov, model, settings)

        def answer(images: Tensor) -> Tensor:
            return torch.from_numpy(network(images.numpy(), share_inputs=True)[0])

        return answer


def _in_goes(made: Callable[[int], Answer]) -> Answer:
    """Of engines that are fastest where the batch is known: one for 16 pictures, one for each
    smaller number, made when it comes.
    """
    ready: dict[int, Answer] = {}

    def answer(images: Tensor) -> Tensor:
        count = len(images)
        if count > LARGEST_BATCH:
            return torch.cat([answer(part) for part in images.split(LARGEST_BATCH)])
        if count not in ready:
            ready[count] = made(count)
        return ready[count](images.contiguous())

    return answer
