"""A run's saves in an object store, for machines that share no disk. Imports no torch.

    s3://BUCKET/PATH/commit.json      the run, the step, and each file's size and sha256
    s3://BUCKET/PATH/objects/SHA256   the files, named by what is in them

Objects come first, then the one commit that names them, then what only the commit before named is
removed. So a reader sees a whole save or the one before. A commit replaces the one that its writer
knows and no other: of two machines that believe they carry on the same run, one finds out.
"""

import base64
import hashlib
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

from convatlas import strict_json
from convatlas.errors import RunError
from convatlas.object_store import ObjectStore, StoreError
from convatlas.training.recipe import Recipe
from convatlas.training.step_folders import FILES
from convatlas.training.step_folders import LARGEST as LARGEST_OF_STEP

FORMAT = 1
COMMIT = "commit.json"
LARGEST_COMMIT = 20_000  # bytes that are read at all
LARGEST_OBJECT = 5 * 2**30  # bytes that S3 takes in one request
PIECE = 2**20  # bytes that are in memory at a time
DIGEST = re.compile(r"[0-9a-f]{64}")
BEGUN = ("recipe.toml", "run.json")  # what each save has beside its checkpoint
LARGEST = {  # files of a run's folder that lie in a store, and the bytes that are read at all
    "run.json": 100_000,
    "log.jsonl": 64_000_000,
    "model.safetensors": LARGEST_OBJECT,
    "model.json": 64_000_000,
    "answers.csv": 256_000_000,
    "curves.png": 64_000_000,
    "confusion.png": 64_000_000,
    "metrics.json": 64_000_000,  # it says that the run is finished
    "recipe.toml": 1_000_000,  # the last: a folder without it holds no run
}


def of_step(step: int) -> dict[str, int]:
    """The files of a checkpoint, by their place in the run's folder, and the most bytes of each."""
    place = f"checkpoints/step-{step:08d}"
    names = (*FILES, "MANIFEST.json")
    return {f"{place}/{name}": LARGEST_OF_STEP.get(name, LARGEST_OBJECT) for name in names}


@dataclass(frozen=True)
class Commit:
    """What a store holds of a run."""

    run: str  # its identifier, as run.json has it
    step: int
    files: Mapping[str, tuple[int, str]]  # place in the run's folder -> (bytes, sha256)

    @property
    def is_of_finished_run(self) -> bool:
        return "metrics.json" in self.files

    @property
    def objects(self) -> set[str]:
        return {sha256 for _, sha256 in self.files.values()}

    def text(self) -> bytes:
        found = {"format": FORMAT, **asdict(self)}
        return strict_json.dumps(found | {"sha256": strict_json.digest(found)}, indent=1).encode()


def _commit_of(content: bytes) -> Commit:
    """Raises ValueError, KeyError or TypeError for what no run of ours wrote."""
    found = strict_json.loads_signed(content)
    if found["format"] != FORMAT or not found["sha256"]:
        raise ValueError
    run, step, files = found["run"], found["step"], found["files"]
    if not re.fullmatch(r"[0-9a-f]{1,64}", run) or type(step) is not int or not 0 <= step < 10**15:
        raise ValueError
    limits = of_step(step) | LARGEST
    if not {*of_step(step), *BEGUN} <= {*files} <= {*limits}:
        raise ValueError
    for name, (size, sha256) in files.items():
        if type(size) is not int or not 0 <= size <= limits[name] or not DIGEST.fullmatch(sha256):
            raise ValueError
    return Commit(run, step, {name: (size, sha256) for name, (size, sha256) in files.items()})


class Remote:
    """The place of one run in a store. `known` is the commit that was last seen or made, and what
    the store calls it.
    """

    def __init__(self, address: str):
        try:
            self.store = ObjectStore(address)
        except ValueError as fault:
            raise RunError(str(fault)) from None
        self.name = self.store.name
        self.known: Commit | None = None
        self._tag: str | None = None

    def look(self) -> Commit | None:
        """The commit that is there now, if any. RunError where it is damaged, StoreError where the
        store cannot be asked.
        """
        found = self._commit()
        if found is None:
            self.known, self._tag = None, None
            return None
        content, self._tag = found
        try:
            self.known = _commit_of(content)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise RunError(
                f"{self.name}/{COMMIT} is damaged, or not a run's of this version; put the run's "
                "own back, or give another address with --remote-sync"
            ) from None
        return self.known

    def _commit(self) -> tuple[bytes, str] | None:
        def read(client: Any) -> tuple[bytes, str]:
            answer = client.get_object(**self.store.place(COMMIT))
            return answer["Body"].read(LARGEST_COMMIT + 1)[:LARGEST_COMMIT], answer["ETag"]

        try:
            return self.store.ask(read)
        except StoreError as fault:
            if fault.code in ("NoSuchKey", "404"):
                return None
            raise

    def commit(self, new: Commit) -> None:
        """Put it in the place of the one that is known. StoreError, of kind "changed", where
        another is there.
        """
        text = new.text()
        rule = {"IfMatch": self._tag} if self._tag else {"IfNoneMatch": "*"}
        try:
            tag = self._put_commit(text, rule)
        except StoreError as fault:
            if fault.kind == "unable":  # a store that knows no conditions
                tag = self._put_commit(text, {})
            elif fault.kind == "changed" and (found := self._commit()) and found[0] == text:
                tag = found[1]  # the answer to an earlier try was lost
            else:
                raise
        self.known, self._tag = new, tag

    def _put_commit(self, text: bytes, rule: dict[str, str]) -> str:
        asked = self.store.place(COMMIT) | {"Body": text} | rule
        return self.store.ask(lambda client: client.put_object(**asked))["ETag"]

    def put(self, sha256: str, body: BinaryIO) -> None:
        """An object, which the store compares with its digest. StoreError as ask raises it."""
        asked = self._object(sha256) | {
            "ChecksumSHA256": base64.b64encode(bytes.fromhex(sha256)).decode()
        }

        def put(client: Any) -> None:
            body.seek(0)
            client.put_object(**asked, Body=body)

        self.store.ask(put)

    def fetch(self, size: int, sha256: str, file: BinaryIO) -> None:
        """Write an object to a file that can be read. RunError where it is not what the commit
        says, StoreError where it cannot be had.
        """

        def read(client: Any) -> str:
            answer = client.get_object(**self._object(sha256))
            file.seek(0)
            file.truncate()
            digest, rest = hashlib.sha256(), size + 1
            while rest and (piece := answer["Body"].read(min(PIECE, rest))):
                digest.update(piece)
                file.write(piece)
                rest -= len(piece)
            return digest.hexdigest()

        if self.store.ask(read) != sha256:
            raise RunError(
                f"{self.name}/objects/{sha256} is not what was written there (its sha256 is not "
                "its name), so the run cannot be continued from it"
            )

    def remove(self, sha256: str) -> None:
        self.store.ask(lambda client: client.delete_object(**self._object(sha256)))

    def objects(self) -> Iterator[str]:
        """The digests that objects are named by, a thousand at most; of strangers' objects none."""
        place = self.store.place("objects/")
        asked = {"Bucket": place["Bucket"], "Prefix": place["Key"]}
        answer = self.store.ask(lambda client: client.list_objects_v2(**asked))
        for found in answer.get("Contents", ()):
            name = found["Key"].removeprefix(place["Key"])
            if DIGEST.fullmatch(name):
                yield name

    def _object(self, sha256: str) -> dict[str, str]:
        return self.store.place(f"objects/{sha256}")

    def asked(self, work: Callable[[], Any], done: str = "read") -> Any:
        """What `work` returns; RunError, in a sentence, for a StoreError."""
        try:
            return work()
        except StoreError as fault:
            raise RunError(fault.sentence(f"--remote-sync {self.name}", done)) from None


def recorded(address: str) -> tuple[str, Recipe]:
    """(the address as it is written, the recipe of the run that is there). RunError where there is
    none.
    """
    place = Remote(address)
    found = place.asked(place.look)
    if found is None:
        raise RunError(
            f"there is no run in {place.name} (no {COMMIT}); give the address that it was begun "
            "with as --remote-sync, or leave --resume out to begin one"
        )
    text = io.BytesIO()
    place.asked(lambda: place.fetch(*found.files["recipe.toml"], text))
    where = f"{place.name}: recipe.toml"
    try:
        return place.name, Recipe.recorded_in(text.getvalue().decode(), where)
    except UnicodeDecodeError:
        raise RunError(f"{where} is no text in UTF-8") from None
