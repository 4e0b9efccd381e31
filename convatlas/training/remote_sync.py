"""What a run does with its place in an object store: it is asked before the first step, a run that
stands there comes back from it, and each whole save goes there, by a thread beside the steps.
"""

import hashlib
import io
import os
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO

from convatlas.errors import CheckpointError, RunError, first_line
from convatlas.object_store import StoreError
from convatlas.training import identity as identities
from convatlas.training.checkpoint import read_manifest
from convatlas.training.distributed import ProcessGroup
from convatlas.training.folder import RunFolder
from convatlas.training.plain_files import (
    created,
    flush_folder,
    kind,
    make_durably,
    open_plain,
    read_plain,
    replace,
    replace_durably,
    token,
    want_room,
)
from convatlas.training.recipe import Recipe
from convatlas.training.remote import BEGUN, LARGEST, LARGEST_OBJECT, Commit, Remote, of_step
from convatlas.training.step_folders import number, steps

TRIES = 5  # to read what changes meanwhile
WAIT = 300.0  # seconds that a run that leaves waits for its last save to be there
PULSE = 0.2  # seconds in which a waiting process looks for signals, where none interrupts a wait


def met(recipe: Recipe, path: Path, resume: bool, group: ProcessGroup) -> Remote | None:
    """The recipe's place in a store, if it names one, once it is known that it can be read and
    written; what it holds of the run is in the folder then. None on all but the first process.

    RunError where it cannot, or where it holds another run than it should.
    """
    if not recipe.remote_sync:
        return None

    def work() -> Remote | None:
        with group.preparing():  # for as long as it takes
            return _met(Remote(recipe.remote_sync), path, resume) if group.is_first else None

    return group.together(work)


def _met(place: Remote, path: Path, resume: bool) -> Remote:
    folder = RunFolder(path)
    folder.require_plain()
    found = place.asked(place.look)
    if found and not resume:
        raise RunError(
            f"{place.name} already holds a run; continue it with --resume {place.name}, or give "
            "another address with --remote-sync"
        )
    if found:
        _bring(place, folder)
    if not (found and found.is_of_finished_run):
        empty = hashlib.sha256().hexdigest()
        place.asked(lambda: place.put(empty, io.BytesIO()), "written")
    return place


# ---- from the store


def _bring(place: Remote, folder: RunFolder) -> None:
    """What is there of the run, into its folder, unless that is as far already."""
    for _ in range(TRIES):
        commit = place.known
        if commit is None or not _is_ahead(commit, place, folder):
            return
        try:
            with folder:
                return _fetch(commit, place, folder)
        except StoreError as fault:
            if place.asked(place.look) == commit:
                what = f"a part of the save of step {commit.step} in {place.name}"
                raise RunError(fault.sentence(what)) from None
        except OSError as fault:
            raise RunError(
                f"cannot write what {place.name} holds into {folder.path}: {fault.strerror}; free "
                "some space, or choose another folder with --output"
            ) from None
    raise RunError(
        f"{place.name} has changed {TRIES} times while it was read: another process trains that "
        "run; wait for it, or stop it"
    )


def _is_ahead(commit: Commit, place: Remote, folder: RunFolder) -> bool:
    """Whether the store is further than the folder. RunError where they are of two runs."""
    is_free = not folder.holds_a_run and not folder.remains
    own = identities.read(folder)
    if own is None and is_free:
        return True
    if own is None or own.run != commit.run:
        raise RunError(
            f"{place.name} holds another run than {folder.path}; give another folder with "
            "--output, or another address with --remote-sync"
        )
    if not folder.holds_a_run:  # it was fetched by half
        return True
    newest = next(map(number, steps(folder.checkpoints)), -1)
    if commit.step > newest and folder.is_finished:
        raise RunError(
            f"the run in {folder.path} is finished, and {place.name} holds a later step of it; "
            "give another folder with --output"
        )
    is_as_far = commit.step == newest
    return commit.step > newest or (
        is_as_far and commit.is_of_finished_run and not folder.is_finished
    )


def _fetch(commit: Commit, place: Remote, folder: RunFolder) -> None:
    """Who the run is first, its recipe last: a folder that has it holds the whole save."""
    want_room(folder.path, sum(size for size, _ in commit.files.values()))
    names = [name for name in LARGEST if name in commit.files]
    _fetch_file(place, commit, names[0], folder.path)
    own = identities.read(folder)
    if own is None or own.run != commit.run:
        raise RunError(f"{place.name} is damaged: its run.json is of another run than its save")
    _fetch_step(place, commit, folder.checkpoints)
    for name in names[1:]:
        _fetch_file(place, commit, name, folder.path)


def _fetch_step(place: Remote, commit: Commit, checkpoints: Path) -> None:
    names = [Path(name) for name in of_step(commit.step)]
    final = checkpoints / names[0].parent.name
    make_durably(checkpoints)
    if not kind(final):
        temporary = checkpoints / f".tmp-{commit.step:08d}-{token()}"
        temporary.mkdir()
        for name in names:
            _write(place, commit.files[name.as_posix()], temporary / name.name)
        flush_folder(temporary)
        replace(temporary, final)
        flush_folder(checkpoints)
    replace_durably(checkpoints / "LATEST", (final.name + "\n").encode())


def _fetch_file(place: Remote, commit: Commit, name: str, folder: Path) -> None:
    temporary = folder / f".tmp-{name}-{token()}"
    try:
        _write(place, commit.files[name], temporary)
        replace(temporary, folder / name)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    flush_folder(folder)


def _write(place: Remote, described: tuple[int, str], path: Path) -> None:
    with open(created(path, os.O_WRONLY), "wb") as file:
        place.fetch(*described, file)
        file.flush()
        os.fsync(file.fileno())


# ---- to the store


class Sync:
    """The newest whole save of a run's folder, on its way to the store. Without a place it does
    nothing.

    A thread of its own puts it there; `warn` is told, by the process's main thread, what could not
    be done, once until something can be again. Leaving it waits as `finish` does, unless the
    process is to end at once.
    """

    def __init__(
        self,
        place: Remote | None,
        folder: RunFolder,
        warn: Callable[[str], None],
        wait: float = WAIT,
    ):
        self.place, self.folder, self.warn, self.wait = place, folder, warn, wait
        self._there = place.known.objects if place and place.known else set()
        self._tidied = self._warned = self._over = False
        self._failure = ""
        self._told = self._done = 0
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> "Sync":
        return self

    def __exit__(self, _, error: BaseException | None, __) -> None:
        if error is None or isinstance(error, Exception):
            self._wait_for()

    def tell(self) -> None:
        """There is something new in the folder. Any thread may call it."""
        if self.place is None or self._over:
            return
        with self._news:
            self._told += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._go, name="remote-sync", daemon=True)
                self._thread.start()
            self._news.notify_all()

    def look(self) -> None:
        """Say what failed since, if anything."""
        if self._failure and not self._warned:
            self.warn(f"{self._failure}; training goes on")
        self._warned = bool(self._failure)

    def finish(self) -> None:
        """Wait until what is in the folder now is in the store, or for `wait` seconds; what is not
        there is a warning.
        """
        self.tell()
        self._wait_for()

    def _wait_for(self) -> None:
        if self._over:
            return self.look()
        end = time.monotonic() + self.wait
        with self._news:
            while self._done < self._told and time.monotonic() < end:
                self._news.wait(PULSE)
            why = self._failure if self._done == self._told else f"{self.wait:g} s were too few"
        if why:
            self._over = self._warned = True  # said once
            self.warn(
                f"the last save is not in {self.place.name} ({why}); {self.folder.path} has it, "
                f"and {self.folder.resume_command} puts it there"
            )

    def _go(self) -> None:
        while True:
            with self._news:
                while self._done == self._told:
                    self._news.wait()
                told = self._told
            failure = self._tried()
            with self._news:
                self._failure, self._done = failure, told
                self._news.notify_all()

    def _tried(self) -> str:
        """Why it could not be done, or ""."""
        try:
            self._upload()
        except StoreError as fault:
            if fault.kind == "changed":
                self._over = True
                return (
                    f"another process has put a save of the run into {self.place.name} meanwhile, "
                    "so this one puts no more there; stop one of the two"
                )
            return fault.sentence(f"--remote-sync {self.place.name}", "written")
        except (RunError, CheckpointError) as fault:
            return str(fault)
        except Exception as fault:  # nothing here may end a run
            return f"{self.place.name} could not be written ({first_line(fault)})"
        return ""

    def _upload(self) -> None:
        with ExitStack() as stack:
            found = self._whole_save(stack)
            if found is None:
                return
            commit, bodies = found
            if commit != self.place.known:
                for name, (_, sha256) in commit.files.items():
                    if sha256 not in self._there:
                        self.place.put(sha256, bodies[name])
                        self._there.add(sha256)
                self.place.commit(commit)
        self._tidy(commit)

    def _tidy(self, commit: Commit) -> None:
        """Remove what no commit names any more; the first time also what killed processes left. A
        store that does not let us keeps it.
        """
        old = self._there - commit.objects
        with suppress(StoreError):
            if not self._tidied:
                old |= {*self.place.objects()} - commit.objects
                self._tidied = True
            for sha256 in old:
                self.place.remove(sha256)
                self._there.discard(sha256)

    def _whole_save(self, stack: ExitStack) -> tuple[Commit, dict[str, BinaryIO]] | None:
        """The newest step and what else a run is continued or looked at by, opened, so that the
        folder may go on; None where nothing was saved yet.
        """
        for tries in range(TRIES):
            newest = steps(self.folder.checkpoints)
            if not newest:
                return None
            try:
                return self._opened(newest[0], stack)
            except (CheckpointError, OSError):  # it may be an old one by now, and gone
                if tries == TRIES - 1:
                    raise
        return None

    def _opened(self, step: Path, stack: ExitStack) -> tuple[Commit, dict[str, BinaryIO]]:
        described, bodies = {}, {}
        place = f"checkpoints/{step.name}"
        for name, (size, sha256) in read_manifest(step).items():
            described[f"{place}/{name}"] = size, sha256
            bodies[f"{place}/{name}"] = self._open(step / name, stack)
        rest = [f"{place}/MANIFEST.json"]
        rest += LARGEST if self.folder.is_finished else [*BEGUN, "log.jsonl"]
        for name in rest:
            path = self.folder.path / name
            if name in BEGUN or kind(path):
                bodies[name] = self._open(path, stack)
                described[name] = _described(bodies[name])
        own = identities.read(self.folder)
        if own is None:
            raise RunError(f"{self.folder.path / 'run.json'} is gone")
        return Commit(own.run, number(step), described), bodies

    def _open(self, path: Path, stack: ExitStack) -> BinaryIO:
        """A file as it is now: of one that grows, its bytes."""
        if path.name == "log.jsonl":
            return io.BytesIO(read_plain(path, LARGEST[path.name]))
        return stack.enter_context(open_plain(path, LARGEST_OBJECT))[0]


def _described(file: BinaryIO) -> tuple[int, str]:
    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return file.seek(0, os.SEEK_END), sha256


def put_result(place: Remote | None, path: Path, warn: Callable[[str], None]) -> None:
    """A finished run's files into the store, where they are not there yet."""
    if place and not (place.known and place.known.is_of_finished_run):
        with RunFolder(path) as folder, Sync(place, folder, warn) as sync:
            sync.finish()
