"""A table in Lance's format: opened where it is first needed, read by number, and read again where
a connection was lost.
"""

import os
import re
import time
import warnings
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from convatlas.errors import DataError

if TYPE_CHECKING:
    import lance
    import pyarrow

REMOTE = re.compile(r"(s3|gs|az|abfss|oss|hf)://.", re.IGNORECASE)
PAUSES = (0.5, 1, 2, 4, 8, 16, 30)  # seconds before a request is made again
PATIENCE = {"client_max_retries": "3", "client_retry_timeout": "20"}  # of each of these requests
CACHES = 64 * 2**20  # bytes that Lance may hold of what it knows of its files, for each kind
DENIED = re.compile(r"denied|forbidden|unauthorized|\b40[13]\b|signature|credential", re.IGNORECASE)
ABSENT = re.compile(r"not ?found|nosuch(bucket|key)|\b404\b|invalid ?bucket", re.IGNORECASE)
FULL = re.compile(r"no space left|os error 28|quota exceeded", re.IGNORECASE)
# Where in Lance's own source an error was made, which no user can act upon.
_ORIGIN = re.compile(r",? */\S+\.rs:\d+(:\d+)?.*$", re.DOTALL)
_KIND = re.compile(r"^(LanceError\(\w+\)|Invalid user input|Generic \w+ error): *")


def is_remote(place: str | os.PathLike) -> bool:
    """Whether this is an address in an object store rather than a path."""
    return bool(REMOTE.match(os.fspath(place)))


def is_packed(place: str | os.PathLike) -> bool:
    """Whether a folder is a table of this format, or an address says that one is elsewhere."""
    inside = ("_versions", "data")
    return is_remote(place) or all(os.path.isdir(os.path.join(place, name)) for name in inside)


def libraries(place: str) -> tuple:
    """(lance, pyarrow). Raises DataError where they are not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import lance
            import pyarrow
    except ImportError:
        raise DataError(
            f"the packed set {place!r} needs Lance, which is not installed: "
            "pip install 'convatlas[shards]'"
        ) from None
    # It warns at every fork. Here a process that was forked opens the table anew, see Table, and
    # Lance makes its threads anew in it.
    warnings.filterwarnings("ignore", message="lance is not fork-safe")
    return lance, pyarrow


class Table:
    """The table at `place`, a folder or an address, for any number of processes: each opens it for
    itself when it first reads.
    """

    def __init__(self, place: str | os.PathLike):
        self.place = os.fspath(place)
        self.remote = is_remote(place)
        self._opened: tuple[int, lance.LanceDataset] | None = None  # and by which process
        self._shards: tuple[list[int], list[str]] | None = None

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_opened": None}

    def metadata(self) -> dict[bytes, bytes]:
        """What is said of the table as a whole. Raises DataError, in one sentence, where it is not
        there or cannot be read; so do all that follow.
        """
        return self._asked(lambda dataset: dict(dataset.schema.metadata or {}))

    def columns(self, names: Sequence[str]) -> "pyarrow.Table":
        """Whole columns, in the order of the rows."""
        return self._asked(
            lambda dataset: dataset.to_table(columns=list(names), scan_in_order=True)
        )

    def take(self, rows: np.ndarray, column: str = "image") -> list[bytes]:
        """One column of these rows, in the order asked for."""
        rows = np.asarray(rows, np.int64)
        found = self._asked(
            lambda dataset: dataset.take(rows.tolist(), columns=[column]).column(0).to_pylist(),
            rows,
        )
        return [content or b"" for content in found]

    def shard_of(self, row: int) -> str:
        """The file that holds a row."""
        try:
            if self._shards is None:
                fragments = self._dataset().get_fragments()
                ends = list(accumulate(one.metadata.physical_rows for one in fragments))
                files = [one.metadata.files[0].path for one in fragments]
                self._shards = ends, files
            ends, files = self._shards
            return f"{self.place}/data/{files[bisect_right(ends, row)]}"
        except Exception:  # it is only the better half of another error's sentence
            return self.place

    def _dataset(self) -> "lance.LanceDataset":
        if self._opened is None or self._opened[0] != os.getpid():
            lance, _ = libraries(self.place)
            dataset = lance.dataset(
                self.place,
                storage_options=_options() if self.remote else None,
                index_cache_size_bytes=CACHES,
                metadata_cache_size_bytes=CACHES,
            )
            self._opened = os.getpid(), dataset
        return self._opened[1]

    def _asked(self, ask: Callable, rows: np.ndarray | None = None):
        begun = time.monotonic()
        for pause in (*PAUSES, None):
            try:
                return ask(self._dataset())
            except DataError:
                raise
            except BaseException as fault:
                if not is_of_lance(fault):
                    raise
                self._opened = None
                said = reason_of(fault)
                if pause is None or not self.remote or DENIED.search(said) or ABSENT.search(said):
                    raise self._error(said, rows, time.monotonic() - begun) from None
            time.sleep(pause)

    def _error(self, said: str, rows: np.ndarray | None, seconds: float) -> DataError:
        if not self.remote:
            return self._damage(said, rows)
        if DENIED.search(said):
            why = (
                f"may not be read ({short(said)}); give the credentials of someone who may, such "
                "as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment"
            )
        elif ABSENT.search(said):
            why = f"is not there ({short(said)}); check the bucket and the path"
        else:
            why = (
                f"could not be read in {len(PAUSES) + 1} tries over {seconds:.0f} seconds "
                f"({short(said)}); check the connection and its address (AWS_ENDPOINT_URL), then "
                "start again, a run with --resume"
            )
        return _one_reason(f"the packed set {self.place!r} {why}")

    def _damage(self, said: str, rows: np.ndarray | None) -> DataError:
        shards = [self.place] if rows is None else sorted({*map(self.shard_of, rows.tolist())})
        for shard in shards[1:] and shards:  # which of them it is
            rows_of_it = [row for row in rows.tolist() if self.shard_of(row) == shard]
            try:
                self._dataset().take(rows_of_it[:1], columns=["image"])
            except Exception:
                shards = [shard]
                break
        what = "the packed set" if shards == [self.place] else "the shard"
        return _one_reason(
            f"{what} {shards[0]!r} is damaged or has gone ({short(said)}); copy it again, or pack "
            "the set again"
        )


def _one_reason(sentence: str) -> DataError:
    """With a reason, so that nobody who collects broken images goes on without."""
    return DataError(sentence, reasons=(sentence,))


def is_of_lance(fault: BaseException) -> bool:
    """Whether an error is one of reading or writing: a panic in Lance is no Exception."""
    return isinstance(fault, Exception) or type(fault).__name__ == "PanicException"


def reason_of(fault: BaseException) -> str:
    """What Lance says, in one line."""
    said = " ".join(_ORIGIN.sub("", str(fault)).split())
    while (bare := _KIND.sub("", said)) != said:
        said = bare
    return said or type(fault).__name__


def short(said: str, most: int = 200) -> str:
    """For a sentence."""
    return said if len(said) <= most else f"{said[:most]} ..."


def _options() -> dict[str, str]:
    """Lance reads the environment itself. It has to be told that an address without encryption is
    meant so.
    """
    address = os.environ.get("AWS_ENDPOINT_URL") or os.environ.get("AWS_ENDPOINT") or ""
    plain = {"allow_http": "true"} if address.startswith("http://") else {}
    return PATIENCE | plain | ({"aws_endpoint": address} if address else {})
