"""Reads a PyTorch pickle on a machine of our own, which imports nothing, calls nothing of the
file's choosing, and takes no more memory than is granted.

Tensors become what the file says of them (Stored), and everything else an inert object (Made).
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pickletools import genops
from typing import Any, BinaryIO

from convatlas.errors import WeightsError
from convatlas.weights.company import full_name, is_code, makes_a_value
from convatlas.weights.stored import DTYPES, Storage, Stored, natural, part_of, proved

ROOM = 150_000_000  # bytes that the objects of a pickle may take; 4 kB a tensor are usual
PIECE = 16_000_000  # bytes of one string
LONGEST_NAME = 1_000  # characters of a key; our longest parameter name has 60
ARGUMENTS = 16
STEP = 24  # bytes that a step takes on the stack
OBJECT = 128  # bytes of an object, an entry of the memo or of a dictionary
DAMAGED = "it is damaged, or was made to do harm: do not use it"
KNOWN_FORMATS = "give a .safetensors file or a state_dict saved by torch.save"
LITERALS = frozenset(  # the steps that only put the value beside them on the stack
    [
        "INT",
        "BININT",
        "BININT1",
        "BININT2",
        "LONG",
        "LONG1",
        "LONG4",
        "STRING",
        "BINSTRING",
        "SHORT_BINSTRING",
        "BINBYTES",
        "SHORT_BINBYTES",
        "BINBYTES8",
        "BYTEARRAY8",
        "UNICODE",
        "SHORT_BINUNICODE",
        "BINUNICODE",
        "BINUNICODE8",
        "FLOAT",
        "BINFLOAT",
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class Name:
    """What a pickle would import: "torch.FloatStorage"."""

    path: str


class Made(dict):
    """An object of any class: what it is called, the state it was given, and its items if it has
    any.
    """

    __slots__ = ("kind", "state")

    def __init__(self, kind: str):
        super().__init__()
        self.kind = kind
        self.state = None


def is_tensor(value: Any) -> bool:
    """Whether it is a tensor: one to be read, or one (sparse, quantised, of a subclass) whose
    numbers do not lie in the file as they are.
    """
    if not isinstance(value, Made):
        return isinstance(value, Stored)
    last = value.kind.rpartition(".")[2]
    is_one = last.endswith(("Tensor", "Parameter")) or last.startswith("_rebuild")
    return is_one and value.kind.startswith("torch.")


class _Pieces:
    """A stream that gives out no large piece, however long a string says it is."""

    def __init__(self, file: BinaryIO):
        self.file = file

    def read(self, size: int) -> bytes:
        if size > PIECE:
            raise WeightsError(f"holds a string of {size:,} bytes in its description; {DAMAGED}")
        return self.file.read(size)

    def readline(self) -> bytes:
        return self.file.readline(PIECE)


class Machine:
    """Runs one pickle after the other; `storages` are those that they ask for, by their key."""

    def __init__(self):
        self.storages: dict[str, Storage] = {}
        self.room = ROOM

    def run(self, file: BinaryIO) -> Any:
        """The value of the pickle at the file's position. Raises WeightsError where it needs code
        or takes too much memory; ValueError, LookupError or TypeError where it is damaged.
        """
        self.stack: list = []
        self.below: list[list] = []  # the stacks under the marks
        self.memo: dict[int, Any] = {}
        self.protocol = 0
        for opcode, argument, _ in genops(_Pieces(file)):
            if opcode.name in LITERALS:
                self._pay(STEP + sys.getsizeof(argument))
                self.stack.append(argument)
            else:
                STEPS[opcode.name](self, argument)
        return self.stack.pop()

    def _pay(self, bytes_taken: int) -> None:
        self.room -= bytes_taken
        if self.room < 0:
            raise WeightsError(
                f"describes itself in more than {ROOM:,} bytes of objects, which no checkpoint of "
                "a network of the atlas does; keep only its state_dict"
            )

    def _push(self, value: Any) -> None:
        self._pay(OBJECT)
        self.stack.append(value)

    def _since_mark(self) -> list:
        items = self.stack
        self.stack = self.below.pop()
        return items

    def speak(self, protocol: int) -> None:
        self.protocol = protocol

    def mark(self, _) -> None:
        self._pay(OBJECT)
        self.below.append(self.stack)
        self.stack = []

    def drop(self, _) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self._since_mark()

    def put(self, argument: int | None) -> None:
        self._pay(OBJECT)
        self.memo[len(self.memo) if argument is None else argument] = self.stack[-1]

    def get(self, argument: int) -> None:
        self._pay(STEP)
        self.stack.append(self.memo[argument])

    def several(self, count: int) -> None:
        items = [self.stack.pop() for _ in range(count)]
        self._push(tuple(reversed(items)))

    def append(self, items: list) -> None:
        self._pay(STEP * len(items))
        target = self.stack[-1]
        if isinstance(target, list):
            target.extend(items)
        elif not isinstance(target, Made):
            raise TypeError(f"items for {type(target).__name__}")

    def fill(self, items: list) -> None:
        """Gives a dictionary its entries, of which those without a plain name are left out."""
        self._pay(OBJECT * len(items))
        target = self.stack[-1]
        if not isinstance(target, dict):
            raise TypeError(f"entries for {type(target).__name__}")
        for name, value in zip(items[::2], items[1::2], strict=True):
            if isinstance(name, str):
                if len(name) > LONGEST_NAME:
                    raise WeightsError(f"holds a name of {len(name):,} characters; {DAMAGED}")
                target[name] = value

    def new_dict(self, items: list) -> None:
        self._push({})
        self.fill(items)

    def named(self, argument: str) -> None:
        self._name(*argument.split(" ", 1))

    def named_from_stack(self, _) -> None:
        name = self.stack.pop()
        module = self.stack.pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise TypeError("a name that is none")
        self._name(module, name)

    def _name(self, module: str, name: str) -> None:
        path = _checked(module, name, self.protocol)
        self._pay(sys.getsizeof(path))
        self._push(Name(path))

    def call(self, arguments: Any) -> None:
        called = self.stack.pop()
        self._push(self._called(called, arguments))

    def call_by_name(self, argument: str) -> None:
        items = self._since_mark()
        self.named(argument)
        self.call(tuple(items))

    def call_since_mark(self, _) -> None:
        called, *arguments = self._since_mark()
        self.stack.append(called)
        self.call(tuple(arguments))

    def new(self, arguments: Any) -> None:
        """An object of a class; of a tensor's, the tensor."""
        made = self.stack.pop()
        if isinstance(made, Name) and made.path in CALLS:
            self.stack.append(made)
            self.call(arguments)
        else:
            self._push(Made(made.path if isinstance(made, Name) else "an object"))

    def build(self, _) -> None:
        self._pay(STEP)
        state = self.stack.pop()
        if isinstance(self.stack[-1], Made):
            self.stack[-1].state = state

    def _called(self, called: Any, arguments: Any) -> Any:
        if not isinstance(called, Name):
            return Made("an object")
        if not isinstance(arguments, tuple) or len(arguments) > ARGUMENTS:
            raise TypeError("arguments that are none")
        if called.path in CALLS:
            return CALLS[called.path](self, *arguments)
        if not makes_a_value(called.path):
            raise _holds_code(called.path)
        return Made(called.path)

    def ordered(self, pairs: Any = ()) -> Made:
        """An OrderedDict, which Python 2 gave its entries when it was called."""
        self.stack.append(Made("collections.OrderedDict"))
        items = pairs.items() if isinstance(pairs, dict) else pairs
        for pair in items:
            self._pay(OBJECT)
            self.fill([*pair] if len(pair) == 2 else ())
        return self.stack.pop()

    def storage(self, identity: Any) -> None:
        """The storage that a persistent identity means, in a zip or a legacy file."""
        if not isinstance(identity, tuple) or len(identity) < 2:
            raise ValueError("an identity that is none of a storage")
        if identity[0] == "module":  # a class with its source, in legacy files of whole networks
            self._push(identity[1])
            return
        word, kind, key, _, elements, view = (*identity[:6], None)[:6]
        if word != "storage" or not isinstance(kind, Name) or not isinstance(key, str):
            raise ValueError("an identity that is none of a storage")
        dtype = DTYPES.get(kind.path.rpartition(".")[2])
        if dtype is None or not kind.path.startswith("torch."):
            self._push(Made(kind.path))
            return
        whole = Storage(key, dtype, natural(elements), 0, elements)
        known = self.storages.setdefault(whole.key, whole)
        if (known.dtype, known.whole) != (whole.dtype, whole.whole):
            raise ValueError(f"storage {whole.key:.20} in two sizes")
        self._push(whole if view is None else part_of(whole, view))

    def tensor(self, storage: Any, offset: Any, shape: Any, stride: Any, *rest: Any) -> Any:
        """What torch._utils._rebuild_tensor and its later versions make."""
        metadata = rest[2:]
        if not isinstance(storage, Storage) or any(metadata):
            return Made("torch._utils._rebuild_tensor_v2")
        return proved(storage, storage.dtype, offset, shape, stride)

    def typed_tensor(self, storage: Any, offset: Any, shape: Any, stride: Any, *rest: Any) -> Any:
        """What _rebuild_tensor_v3 makes, of a storage without a type of its own."""
        dtype = rest[2]
        if not isinstance(storage, Storage) or not isinstance(dtype, Name) or any(rest[3:]):
            return Made("torch._utils._rebuild_tensor_v3")
        return proved(storage, dtype.path.removeprefix("torch."), offset, shape, stride)

    def parameter(self, data: Any = None, *_) -> Any:
        return data if isinstance(data, Stored) else Made("torch.nn.parameter.Parameter")

    def subclass(self, called: Any, _kind: Any, arguments: Any, *_) -> Any:
        return self._called(called, arguments)

    def reconstructed(self, kind: Any, *_) -> Made:
        return Made(kind.path if isinstance(kind, Name) else "an object")

    def size(self, shape: Any = ()) -> tuple:
        self._pay(STEP * len(shape))
        return tuple(shape)


def _checked(module: str, name: str, protocol: int) -> str:
    if len(module) + len(name) > LONGEST_NAME:
        raise WeightsError(f"names something in {len(module) + len(name):,} characters; {DAMAGED}")
    path = full_name(module, name, protocol)
    if is_code(path):
        raise _holds_code(path)
    return path


def _holds_code(path: str) -> WeightsError:
    shown = path if path.isprintable() else ascii(path)
    return WeightsError(
        f"holds code ({shown:.100}), which is not run here and may do harm elsewhere; "
        f"{KNOWN_FORMATS}"
    )


def _unknown(machine: Machine, _) -> None:
    raise WeightsError(f"asks for values that are not in it; {DAMAGED}")


CALLS: Mapping[str, Callable] = {
    "collections.OrderedDict": Machine.ordered,
    "torch.Size": Machine.size,
    "torch._utils._rebuild_tensor": Machine.tensor,
    "torch._utils._rebuild_tensor_v2": Machine.tensor,
    "torch._utils._rebuild_tensor_v3": Machine.typed_tensor,
    "torch._utils._rebuild_parameter": Machine.parameter,
    "torch._utils._rebuild_parameter_with_state": Machine.parameter,
    "torch.nn.parameter.Parameter": Machine.parameter,
    "torch._tensor._rebuild_from_type_v2": Machine.subclass,
    "copyreg._reconstructor": Machine.reconstructed,
}
STEPS: Mapping[str, Callable[[Machine, Any], None]] = {
    "PROTO": Machine.speak,
    "FRAME": lambda machine, _: None,
    "STOP": lambda machine, _: None,
    "NONE": lambda machine, _: machine._push(None),
    "NEWTRUE": lambda machine, _: machine._push(True),
    "NEWFALSE": lambda machine, _: machine._push(False),
    "MARK": Machine.mark,
    "POP": Machine.drop,
    "POP_MARK": lambda machine, _: machine._since_mark(),
    "DUP": lambda machine, _: machine._push(machine.stack[-1]),
    "PUT": Machine.put,
    "BINPUT": Machine.put,
    "LONG_BINPUT": Machine.put,
    "MEMOIZE": Machine.put,
    "GET": Machine.get,
    "BINGET": Machine.get,
    "LONG_BINGET": Machine.get,
    "EMPTY_TUPLE": lambda machine, _: machine._push(()),
    "TUPLE1": lambda machine, _: machine.several(1),
    "TUPLE2": lambda machine, _: machine.several(2),
    "TUPLE3": lambda machine, _: machine.several(3),
    "TUPLE": lambda machine, _: machine._push(tuple(machine._since_mark())),
    "EMPTY_LIST": lambda machine, _: machine._push([]),
    "LIST": lambda machine, _: machine._push(machine._since_mark()),
    "APPEND": lambda machine, _: machine.append([machine.stack.pop()]),
    "APPENDS": lambda machine, _: machine.append(machine._since_mark()),
    "EMPTY_DICT": lambda machine, _: machine._push({}),
    "DICT": lambda machine, _: machine.new_dict(machine._since_mark()),
    "SETITEM": lambda machine, _: machine.fill([machine.stack.pop(-2), machine.stack.pop()]),
    "SETITEMS": lambda machine, _: machine.fill(machine._since_mark()),
    "EMPTY_SET": lambda machine, _: machine._push(Made("builtins.set")),
    "FROZENSET": lambda machine, _: (machine._since_mark(), machine._push(Made("builtins.set"))),
    "ADDITEMS": lambda machine, _: machine.append(machine._since_mark()),
    "GLOBAL": Machine.named,
    "STACK_GLOBAL": Machine.named_from_stack,
    "REDUCE": lambda machine, _: machine.call(machine.stack.pop()),
    "INST": Machine.call_by_name,
    "OBJ": Machine.call_since_mark,
    "NEWOBJ": lambda machine, _: machine.new(machine.stack.pop()),
    "NEWOBJ_EX": lambda machine, _: machine.new((machine.stack.pop(), machine.stack.pop())[1]),
    "BUILD": Machine.build,
    "PERSID": Machine.storage,
    "BINPERSID": lambda machine, _: machine.storage(machine.stack.pop()),
    "EXT1": _unknown,
    "EXT2": _unknown,
    "EXT4": _unknown,
    "NEXT_BUFFER": _unknown,
    "READONLY_BUFFER": _unknown,
}
