"""What is known of the storages that tensors are views of, for as long as each exists."""

from typing import Generic, TypeVar

from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef

Known = TypeVar("Known")


class Storages(Generic[Known]):
    """By the storage of a tensor; a sparse one has none."""

    def __init__(self):
        self._known: dict[int, tuple[StorageWeakRef, Known]] = {}

    def get(self, t: Tensor) -> Known | None:
        storage = _storage(t) if self._known else None
        known = self._known.get(storage.cdata) if storage else None
        if known and known[0].expired():  # another storage has its place in memory
            del self._known[storage.cdata]
            return None
        return known[1] if known else None

    def put(self, t: Tensor, known: Known) -> None:
        storage = _storage(t)
        if storage is not None:
            self._known[storage.cdata] = (storage, known)


def _storage(t: Tensor) -> StorageWeakRef | None:
    try:
        return StorageWeakRef(t.untyped_storage())
    except (NotImplementedError, RuntimeError):
        return None
