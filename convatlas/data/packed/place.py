"""Where the files of a packed set lie: a folder, or a bucket of an object store, which is asked
again where a connection was lost. Files are read in pieces, by any number of processes.
"""

import os
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from convatlas.errors import DataError

INDEX = "index.safetensors"
REMOTE = re.compile(r"s3:/+(?P<bucket>[^/]+)/*(?P<path>.*?)/*", re.IGNORECASE | re.DOTALL)
PAUSES = (0.5, 1, 2, 4, 8, 16, 30)  # seconds before a request is made again
ANSWER_WITHIN = 20  # seconds; all tries together are over before a reader is given up
AT_ONCE = 16  # requests of one process
LARGEST_INDEX = 2**33  # bytes
DENIED = {"403", "401", "AccessDenied", "AllAccessDisabled", "InvalidAccessKeyId"}
DENIED |= {"SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"}
BEYOND = {"416", "InvalidRange"}  # a file that is shorter than it should be
ABSENT = {"404", "NoSuchBucket", "NoSuchKey", "InvalidBucketName"}

Span = tuple[str, int, int]  # file, first byte, number of bytes


def is_remote(place: str | os.PathLike) -> bool:
    """Whether this is an address in an object store rather than a path."""
    return os.fspath(place).lower().startswith("s3:/")


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
    """A bucket of S3, or of whatever answers alike at AWS_ENDPOINT_URL. Credentials are those that
    boto3 finds. Each process has a client of its own.
    """

    remote = True

    def __init__(self, name: str):
        address = REMOTE.fullmatch(name)
        if not address:
            raise DataError(f"{name!r} names no bucket; give s3://BUCKET/PATH")
        self.bucket, self.path = address["bucket"], address["path"]
        super().__init__(f"s3://{self.bucket}/{self.path}".rstrip("/"))
        self._opened: tuple[int, object] | None = None  # by which process; its client

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_opened": None}

    def index(self) -> bytes:
        return self._persistently(self._whole, INDEX)

    def read(self, spans: Sequence[Span]) -> list[bytes]:
        self._client()  # one for all threads
        if len(spans) == 1:
            return [self._persistently(self._piece, *spans[0])]
        with ThreadPoolExecutor(min(AT_ONCE, max(len(spans), 1))) as crew:
            return list(crew.map(lambda span: self._persistently(self._piece, *span), spans))

    def _whole(self, file: str) -> bytes:
        answer = self._client().get_object(Bucket=self.bucket, Key=self._key(file))
        if answer["ContentLength"] > LARGEST_INDEX:
            raise DataError(f"{self.name}/{file} is too large for an index; pack the set again")
        return answer["Body"].read()

    def _piece(self, file: str, start: int, length: int) -> bytes:
        """An answer that breaks off is boto3's error; a whole one says what there is."""
        answer = self._client().get_object(
            Bucket=self.bucket, Key=self._key(file), Range=f"bytes={start}-{start + length - 1}"
        )
        return answer["Body"].read()

    def _key(self, file: str) -> str:
        return f"{self.path}/{file}".lstrip("/")

    def _client(self):
        if self._opened is None or self._opened[0] != os.getpid():
            boto3, config = _library(self.name)
            settings = config(
                connect_timeout=ANSWER_WITHIN,
                read_timeout=ANSWER_WITHIN,
                retries={"total_max_attempts": 1},  # we try again
                max_pool_connections=AT_ONCE,
            )
            self._opened = os.getpid(), boto3.session.Session().client("s3", config=settings)
        return self._opened[1]

    def _persistently(self, ask: Callable[..., bytes], *words) -> bytes:
        begun = time.monotonic()
        for pause in (*PAUSES, None):
            try:
                return ask(*words)
            except DataError:
                raise
            except Exception as fault:  # of two libraries and of sockets
                code = _code_of(fault)
                if code in BEYOND:
                    return b""
                if pause is None or code in DENIED | ABSENT:
                    raise self._error(fault, code, words[0], time.monotonic() - begun) from None
            time.sleep(pause)

    def _error(self, fault: Exception, code: str, file: str, seconds: float) -> DataError:
        said = " ".join(str(fault).split())[:200] or type(fault).__name__
        what = f"the packed set {self.name!r}"
        if code in ABSENT and "ucket" not in code and file != INDEX:
            sentence = f"the shard '{self.name}/{file}' is not there; copy the packed set again"
        elif code in ABSENT:
            sentence = f"{what} is not there ({said}); check the bucket and the path"
        elif code in DENIED:
            sentence = (
                f"{what} may not be read ({said}); give the credentials of someone who may, such "
                "as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment"
            )
        else:
            sentence = (
                f"{what} could not be read in {len(PAUSES) + 1} tries over {seconds:.0f} seconds "
                f"({said}); check the connection and its address (AWS_ENDPOINT_URL), then start "
                "again, a run with --resume"
            )
        # with a reason, so that nobody who collects broken images goes on without
        return DataError(sentence, reasons=(sentence,))


def _library(name: str) -> tuple:
    """(boto3, botocore's Config). Raises DataError where it is not installed."""
    try:
        import boto3
        from botocore.config import Config
    except ImportError:
        raise DataError(
            f"{name!r} is in an object store, which boto3 reads, and that is not installed: "
            "pip install 'convatlas[shards]'"
        ) from None
    return boto3, Config


def _code_of(fault: Exception) -> str:
    """What the store itself says, such as NoSuchKey, or boto3 before it asks; "" where a connection
    was lost.
    """
    kind = type(fault).__name__
    if "Credential" in kind or kind == "ProfileNotFound":
        return "AccessDenied"
    if isinstance(fault, ValueError) or "Validation" in kind:  # no name of a bucket, no address
        return "InvalidBucketName"
    response = getattr(fault, "response", None)
    error = response.get("Error", {}) if isinstance(response, dict) else {}
    return str(error.get("Code", ""))
