"""A bucket of S3, or of whatever answers alike at AWS_ENDPOINT_URL: asked again where a connection
was lost, and what cannot be had in a sentence. Credentials are those that boto3 finds.
"""

import os
import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

from convatlas.errors import Error

ADDRESS = re.compile(r"s3:/+(?P<bucket>[^/]+)/*(?P<path>.*?)/*", re.IGNORECASE | re.DOTALL)
PAUSES = (0.5, 1, 2, 4, 8, 16, 30)  # seconds before a request is made again
ANSWER_WITHIN = 20  # seconds; all tries together are over before a reader is given up
AT_ONCE = 16  # requests of one process
KINDS = {  # what a store says -> what it means; all else is a lost connection, and asked again
    **dict.fromkeys(("404", "NoSuchBucket", "NoSuchKey", "InvalidBucketName"), "absent"),
    **dict.fromkeys(("403", "401", "AccessDenied", "AllAccessDisabled"), "denied"),
    **dict.fromkeys(("InvalidAccessKeyId", "SignatureDoesNotMatch"), "denied"),
    **dict.fromkeys(("ExpiredToken", "InvalidToken"), "denied"),
    **dict.fromkeys(("416", "InvalidRange"), "beyond"),  # the object is shorter than it should be
    **dict.fromkeys(("412", "PreconditionFailed"), "changed"),
    **dict.fromkeys(("501", "NotImplemented"), "unable"),
}
T = TypeVar("T")


def is_remote(place: str | os.PathLike) -> bool:
    """Whether this is an address in an object store rather than a path."""
    return os.fspath(place).lower().startswith("s3:/")


class StoreError(Exception):
    """What a store did not do. `kind`: absent, denied, beyond, changed, unable, lost after all
    tries, or missing where there is no library; `code` is the store's own word.
    """

    def __init__(self, kind: str, said: str, code: str = "", seconds: float = 0.0):
        super().__init__(said)
        self.kind, self.said, self.code, self.seconds = kind, said, code, seconds

    def sentence(self, what: str, done: str = "read") -> str:
        """What is wrong with `what`, which was to be read or written, and the remedy."""
        if self.kind == "missing":
            return f"{what} {self.said}"
        if self.kind == "absent":
            return f"{what} is not there ({self.said}); check the bucket and the path"
        if self.kind == "denied":
            return (
                f"{what} may not be {done} ({self.said}); give the credentials of someone who may, "
                "such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment"
            )
        return (
            f"{what} could not be {done} in {len(PAUSES) + 1} tries over {self.seconds:.0f} "
            f"seconds ({self.said}); check the connection and its address (AWS_ENDPOINT_URL), "
            "then start again, a run with --resume"
        )


class ObjectStore:
    """The objects under one address, s3://BUCKET/PATH. ValueError where that names no bucket. Each
    process has a client of its own.
    """

    def __init__(self, address: str):
        found = ADDRESS.fullmatch(address)
        if not found:
            raise ValueError(f"{address!r} names no bucket; give s3://BUCKET/PATH")
        self.bucket, self.path = found["bucket"], found["path"]
        self.name = f"s3://{self.bucket}/{self.path}".rstrip("/")
        self._opened: tuple[int, Any] | None = None  # by which process; its client

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_opened": None}

    def place(self, name: str) -> dict[str, str]:
        """How boto3 is told of one object."""
        return {"Bucket": self.bucket, "Key": f"{self.path}/{name}".lstrip("/")}

    def ask(self, work: Callable[[Any], T]) -> T:
        """What `work` makes of boto3's client: done again, after a pause, while the connection
        fails. Raises StoreError, and errors of ours as they are.
        """
        begun = time.monotonic()
        for pause in (*PAUSES, None):
            try:
                return work(self.client())
            except (StoreError, Error):
                raise
            except Exception as fault:  # of two libraries and of sockets
                code = _code_of(fault)
                kind = KINDS.get(code, "lost")
                if pause is None or kind != "lost":
                    said = " ".join(str(fault).split())[:200] or type(fault).__name__
                    raise StoreError(kind, said, code, time.monotonic() - begun) from None
            time.sleep(pause)
        raise AssertionError("the last try returns or raises")

    def client(self) -> Any:
        """boto3's, of this process; threads share it."""
        if self._opened is None or self._opened[0] != os.getpid():
            boto3, config = _library()
            settings = config(
                connect_timeout=ANSWER_WITHIN,
                read_timeout=ANSWER_WITHIN,
                retries={"total_max_attempts": 1},  # we try again
                max_pool_connections=AT_ONCE,
            )
            self._opened = os.getpid(), boto3.session.Session().client("s3", config=settings)
        return self._opened[1]


def _library() -> tuple:
    """(boto3, botocore's Config)."""
    try:
        import boto3
        from botocore.config import Config
    except ImportError:
        raise StoreError(
            "missing",
            "is in an object store, which boto3 reads, and that is not installed: "
            "pip install 'convatlas[shards]'",
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
