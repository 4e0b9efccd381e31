"""The network in an ONNX file as a module of torch's, so that it is traced as any other. It has no
weights, only their shapes; its constants have their content.
"""

import math
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from convatlas.anatomy.habits import Habits
from convatlas.errors import IdentifyError
from convatlas.identification.makers import Made
from convatlas.identification.onnx_file import Constant, File, Operation, read
from convatlas.identification.onnx_layers import Unsupported
from convatlas.identification.onnx_operators import OPERATORS
from convatlas.identification.sizes import SIDES, first_that_runs
from convatlas.wiring import Graph, Weight

STATISTICS = {("BatchNormalization", 3), ("BatchNormalization", 4)}
WEIGHED = {"Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization", "PRelu"}
WEIGHED |= {"InstanceNormalization", "GroupNormalization", "LayerNormalization"}
NUMBERED = re.compile(r"(\w+::)?\w*?_?\d+")  # the names of weights that exporters have made up
NAMED = 6  # operators that are named one by one

Value = Tensor | np.ndarray | None


class Step(nn.Module):
    """One operation, with the weights and constants that it reads."""

    def __init__(
        self,
        operation: Operation,
        held: dict[int, Constant],
        batch: int,
        shared: dict[tuple, nn.Parameter],
    ):
        super().__init__()
        self.shared = shared
        self.kind = operation.kind
        self.shown = operation.name or operation.kind
        self.settings = {
            key: value for key, value in operation.settings.items() if value is not None
        } | {"outputs": len(operation.writes), "batch": batch}
        self.arrays: dict[int, np.ndarray] = {}
        self.tensors: dict[int, str] = {}
        for place, constant in held.items():
            self._hold(place, constant)

    def _hold(self, place: int, constant: Constant) -> None:
        key = f"input_{place}"
        many = math.prod(constant.shape) > 1
        if (self.kind in WEIGHED and place) or (constant.floating and many and constant.name):
            self._hold_weight(place, key, constant)
        elif constant.content is None:
            raise Unsupported(f"{self.shown} reads a constant that stands in another file")
        elif many and (constant.floating or (self.kind == "Gather" and constant.shape)):
            content = torch.from_numpy(constant.content.copy())
            self.register_buffer(key, content.float() if constant.floating else content)
        else:
            self.arrays[place] = constant.content
            return
        self.tensors[place] = key

    def _hold_weight(self, place: int, key: str, constant: Constant) -> None:
        """Without its numbers. A kernel or matrix that is read twice is one; of vectors exporters
        keep one for all that are equal, such as the zeros of new layers.
        """
        shape = self._stood(place, constant.shape)
        empty = torch.empty(shape, device="meta")
        if (self.kind, place) in STATISTICS:
            self.register_buffer(key, empty)
            return
        weight = nn.Parameter(empty)
        if len(shape) > 1:
            weight = self.shared.setdefault((constant.name, shape), weight)
        self.register_parameter(key, weight)

    def _stood(self, place: int, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Output by input for a matrix, as torch's layers have it."""
        turned = self.kind == "MatMul" or (
            self.kind == "Gemm" and not self.settings.get("transB", 0)
        )
        if turned and place == 1 and len(shape) == 2:
            self.settings["is layer"] = True
            return shape[::-1]
        return shape

    def forward(self, *given: Value):
        inputs = list(given)
        for place, array in self.arrays.items():
            inputs[place] = array
        for place, key in self.tensors.items():
            inputs[place] = getattr(self, key)
        return OPERATORS[self.kind](self.settings, *inputs)


class OnnxNetwork(nn.Module):
    """All of them, in the file's order. Raises IdentifyError for a graph that cannot be read."""

    def __init__(self, path: str):
        super().__init__()
        self.path = path
        file = read(path)
        _refuse_unknown(file, path)
        if len(file.inputs) != 1:
            raise IdentifyError(
                f"{path} reads {len(file.inputs)} inputs ({', '.join(file.inputs)}); only networks "
                "of one are known"
            )
        ((self.reads, shape),) = file.inputs.items()
        self.size = tuple(shape[1:])
        operations, constants = _with_bias(file)
        self.outputs = file.outputs
        self.io: list[tuple[list[str], list[str]]] = []
        self.shared: dict[tuple, nn.Parameter] = {}
        self.paths: dict[str, str] = {}  # of steps, and of their weights, in the file's words
        for operation in operations:
            self._add(operation, constants, shape[0] if shape else 0)

    def _add(self, operation: Operation, constants: dict[str, Constant], batch: int) -> None:
        if operation.kind == "Constant":
            return
        held = {
            place: constants[name]
            for place, name in enumerate(operation.reads)
            if name in constants
        }
        number = str(len(self.io))
        try:
            step = Step(operation, held, batch, self.shared)
        except Unsupported as error:
            raise IdentifyError(f"{self.path}: {error}") from None
        self.add_module(number, step)
        self.io.append((operation.reads, operation.writes))
        self.paths[number] = _path(operation, held)
        taken = {*self.paths.values()}
        for place, key in step.tensors.items():
            name = held[place].name
            own = name if name not in taken else f"{name} of {number}"
            self.paths[f"{number}.{key}"] = own

    def forward(self, image: Tensor):
        values: dict[str, Value] = {"": None, self.reads: image}
        for number, (reads, writes) in enumerate(self.io):
            step = self.get_submodule(str(number))
            try:
                done = step(*(values.get(name) for name in reads))
            except Unsupported as error:
                raise IdentifyError(
                    f"{self.path}: {step.shown} is {error}, which is not known; read so far: "
                    f"{number} of {len(self.io)} operations"
                ) from None
            several = done if isinstance(done, tuple | list) else (done,)
            values.update(zip(writes, several, strict=False))
        found = tuple(values[name] for name in self.outputs)
        return found[0] if len(found) == 1 else found

    def sizes(self) -> list[tuple[int, ...]]:
        """The image's size, where the file states it."""
        if self.size and 0 not in self.size:
            return [self.size]
        channels = self.size[0] if self.size and self.size[0] else 3
        return [(channels, side, side) for side in SIDES]

    def renamed(self, graph: Graph) -> Graph:
        """The graph of this module with the file's own names of steps and weights."""
        nodes = (
            replace(
                node,
                name=self.paths.get(node.name, node.name),
                weights=tuple(
                    Weight(self.paths.get(weight.name, weight.name), weight.shape)
                    for weight in node.weights
                ),
            )
            for node in graph.nodes
        )
        return replace(graph, kind=self.path, nodes=tuple(nodes))


class Exported(Made):
    """The network of a file."""

    net: OnnxNetwork

    def sizes(self) -> list[tuple[int, ...]]:
        return self.net.sizes()

    def traced(self, sizes: list[tuple[int, ...]]) -> tuple[Graph, Habits]:
        graph = self.net.renamed(first_that_runs(self.net, sizes or self.sizes()))
        return graph, Habits.of_names(graph)


def _refuse_unknown(file: File, path: str) -> None:
    kinds = Counter(operation.kind for operation in file.operations)
    unknown = [kind for kind in kinds if kind not in OPERATORS and kind != "Constant"]
    if not unknown:
        return
    named = ", ".join(f"{kind} ({kinds[kind]})" for kind in unknown[:NAMED])
    more = f" and {len(unknown) - NAMED} more kinds" if len(unknown) > NAMED else ""
    known = sum(count for kind, count in kinds.items() if kind not in unknown)
    weights = sum(
        math.prod(constant.shape) for constant in file.constants.values() if constant.floating
    )
    raise IdentifyError(
        f"{path}: operators that are not known: {named}{more}; read so far: {known} of "
        f"{kinds.total()} operations, {weights:,} weights; give the code that it was exported from"
    )


def _with_bias(file: File) -> tuple[list[Operation], dict[str, Constant]]:
    """The operations, where a product of a matrix of weights and the sum of a bias after it are
    one layer, as they were before the export; and all constants by their names.
    """
    constants = dict(file.constants)
    for operation in file.operations:
        value = operation.settings.get("value")
        if operation.kind == "Constant" and operation.writes:
            content = value if isinstance(value, Constant) else _plain(operation)
            constants[operation.writes[0]] = content
    readers = Counter(name for operation in file.operations for name in operation.reads)
    readers.update(file.outputs)
    makers = {name: operation for operation in file.operations for name in operation.writes}
    gone = set()
    for operation in file.operations:
        if operation.kind != "Add" or len(operation.reads) != 2:
            continue
        for product, bias in (operation.reads, operation.reads[::-1]):
            maker = makers.get(product)
            if (
                maker is not None
                and maker.kind == "MatMul"
                and readers[product] == 1
                and len(maker.reads) == 2
                and bias in file.constants
                and len(getattr(constants.get(maker.reads[1]), "shape", ())) == 2
                and file.constants[bias].shape == constants[maker.reads[1]].shape[1:]
            ):
                maker.reads.append(bias)
                maker.writes = operation.writes
                gone.add(id(operation))
                break
    return [each for each in file.operations if id(each) not in gone], constants


def _plain(operation: Operation) -> Constant:
    """A constant that is written as a number or a list of them."""
    settings = operation.settings
    found = next(
        (v for key, v in settings.items() if key.startswith("value_") and "string" not in key), ()
    )
    content = np.array(found)
    return Constant("", content.shape, content.dtype.kind == "f", content)


def _path(operation: Operation, held: dict[int, Constant]) -> str:
    """The dotted path of the layer: of its weights, or of the exporter's scope."""
    for constant in held.values():
        layer, dot, _ = constant.name.rpartition(".")
        if dot and not NUMBERED.fullmatch(constant.name):
            return layer
    parts = [part for part in operation.name.split("/") if part]
    if len(parts) > 1:
        return ".".join(
            part
            for part, following in zip(parts[:-1], [*parts[1:-1], ""], strict=True)
            if not following.startswith(f"{part}.")
        )
    return operation.name
