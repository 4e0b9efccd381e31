"""Looks through a PyTorch pickle without running it: which names it would import, how much storage
it asks for.

Every name becomes an inert stand-in, so nothing of the file's choosing is imported or called.
"""

import pickle
from typing import BinaryIO

from convatlas.errors import WeightsError

MANY = 200_000  # tensors and small objects; the deepest network of the atlas has 7,219 tensors


class Inert:
    """Stands for whatever a pickle would import: can be called, filled and given items, and does
    nothing.
    """

    def __init__(self, *args, **kwargs):
        pass

    def __setstate__(self, state):
        pass

    def __setitem__(self, key, value):
        pass

    def append(self, value):
        pass

    def extend(self, values):
        pass


class Inspector(pickle.Unpickler):
    """Reads one pickle for what it names and asks for; storages are (kind, type, key, place,
    elements, ...).
    """

    def __init__(self, file: BinaryIO):
        super().__init__(file, encoding="latin1")
        self.names: set[str] = set()
        self.elements: dict[str, int] = {}

    def find_class(self, module: str, name: str):
        self.names.add(f"{module}.{name}")
        return Inert

    def persistent_load(self, pid):
        if not (isinstance(pid, tuple) and len(pid) >= 5 and type(pid[4]) is int and pid[4] >= 0):
            raise pickle.UnpicklingError("a storage without a size")
        self.elements[str(pid[2])] = pid[4]
        if len(self.elements) > MANY:
            raise WeightsError(f"more than {MANY:,} storages")
        return Inert()


def inspect(file: BinaryIO, bytes_there: int) -> Inspector:
    """Reads a pickle at the file's position. Raises WeightsError where it asks for more than the
    file can hold.
    """
    inspector = Inspector(file)
    inspector.load()
    if sum(inspector.elements.values()) > bytes_there:
        raise WeightsError(
            f"promises {sum(inspector.elements.values()):,} values in {bytes_there:,} bytes; "
            f"do not use it"
        )
    return inspector
