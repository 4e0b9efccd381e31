"""Where the files of a packed set lie: a folder, or a bucket of an object store, which is asked
again where a connection was lost. Files are read in pieces, by any number of processes.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from convatlas.errors import DataError
from convatlas.object_store import AT_ONCE, ObjectStore, StoreError, is_remote

INDEX = "index.safetensors"
LARGEST_INDEX = 2**33  # bytes

Span = tuple[str, int, int]  # file, first byte, number of bytes


def is_packed(place: str | os.PathLike) -> bool:
    """Whether a folder is a packed set, or an address says that one is elsewhere."""
    return is_remote(place) or os.path.isfile(os.path.join(place, INDEX))


def place_of(place: str | os.PathLike) -> "Place":
    """Raises DataError for an address without a bucket."""
    place = os.fspath(place)
    return Bucket(place) if is_remote(place) else Disk(place)


class Place:
    """`name` is what it is called in a sentence."""

    remote = False

    def __init__(self, name: str):
        self.name = name

    def index(self) -> bytes:
        """The whole file of that name. Raises DataError where there is none."""
        raise NotImplementedError

    def read(self, spans: Sequence[Span]) -> list[bytes]:
        """These pieces of files; one that is cut short, or gone on a disk, gives other or fewer
        bytes. Raises DataError where a place cannot be reached.
        """
        raise NotImplementedError


class Disk(Place):
    def index(self) -> bytes:
        path = Path(self.name, INDEX)
        try:
            if path.stat().st_size > LARGEST_INDEX:
                raise DataError(f"{str(path)!r} is too large for an index; pack the set again")
            return path.read_bytes()
        except OSError as fault:
            raise DataError(
                f"{str(path)!r} cannot be read ({fault.strerror}); copy the packed set again"
            ) from None

    def read(self, spans: Sequence[Span]) -> list[bytes]:
        return [self._piece(*span) for span in spans]

    def _piece(self, file: str, start: int, length: int) -> bytes:
        try:
            return piece_of(os.path.join(self.name, file), start, length)
        except OSError:
            return b""


def piece_of(path: str, start: int, length: int) -> bytes:
    """A piece of a file, or what there is of it: reading sets memory aside for all that is asked
    for, and who asks may have been lied to. Raises OSError.
    """
    with open(path, "rb", buffering=0) as file:
        there = os.fstat(file.fileno()).st_size - start
        file.seek(start)
        return file.read(max(0, min(length, there)))


class Bucket(Place):
    """A bucket of S3, or of whatever answers alike at AWS_ENDPOINT_URL."""

    remote = True

    def __init__(self, name: str):
        try:
            self.store = ObjectStore(name)
        except ValueError as fault:
            raise DataError(str(fault)) from None
        super().__init__(self.store.name)

    def index(self) -> bytes:
        return self._asked(INDEX, self._whole)

    def read(self, spans: Sequence[Span]) -> list[bytes]:
        if len(spans) == 1:
            return [self._piece(*spans[0])]
        self._asked(INDEX, lambda client: None)  # one client for all threads
        with ThreadPoolExecutor(min(AT_ONCE, max(len(spans), 1))) as crew:
            return list(crew.map(lambda span: self._piece(*span), spans))

    def _whole(self, client: Any) -> bytes:
        answer = client.get_object(**self.store.place(INDEX))
        if answer["ContentLength"] > LARGEST_INDEX:
            raise DataError(f"{self.name}/{INDEX} is too large for an index; pack the set again")
        return answer["Body"].read()

    def _piece(self, file: str, start: int, length: int) -> bytes:
        """An answer that breaks off is boto3's error; a whole one says what there is."""
        asked = self.store.place(file) | {"Range": f"bytes={start}-{start + length - 1}"}
        return self._asked(file, lambda client: client.get_object(**asked)["Body"].read())

    def _asked(self, file: str, work: Callable[[Any], Any]) -> Any:
        try:
            return self.store.ask(work)
        except StoreError as fault:
            if fault.kind == "beyond":
                return b""
            raise self._error(fault, file) from None

    def _error(self, fault: StoreError, file: str) -> DataError:
        if fault.kind == "absent" and "ucket" not in fault.code and file != INDEX:
            sentence = f"the shard '{self.name}/{file}' is not there; copy the packed set again"
        else:
            sentence = fault.sentence(f"the packed set {self.name!r}")
        # with a reason, so that nobody who collects broken images goes on without
        return DataError(sentence, reasons=(sentence,))
