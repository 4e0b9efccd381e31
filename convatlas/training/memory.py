"""How much memory there still is, what to type where it is too little, and one sentence for every
way in which a library says that it got none.
"""

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

try:
    import resource
except ImportError:  # Windows
    resource = None

import torch

from convatlas.errors import RunError
from convatlas.training.recipe import Recipe

REFUSALS = (  # as torch, oneDNN, numpy and the system say it
    "alloc_cpu",
    "can't allocate memory",
    "Cannot allocate memory",
    "not enough memory",
    "out of memory",
    "Unable to allocate",
    "bad_alloc",
    "could not create a memory",
    "Failed to allocate",
)
UNLIMITED = 2**60  # cgroup v1 writes no limit as a number near 2^63


@dataclass(frozen=True)
class Lack:
    """Of a step of `images` in this process only `fitting` fit at once, for it needs `needed` more
    bytes, and `left` are free.
    """

    images: int
    fitting: int
    needed: int
    left: int

    def warning(self, recipe: Recipe) -> str:
        return (
            f"training needs about {self.needed / 1e6:,.0f} MB more memory, and "
            f"{self.left / 1e6:,.0f} MB are free; {remedy(recipe, self.images, self.fitting)}"
        )


def resident(pid: int | None = None) -> int | None:
    """Bytes that a process holds now, this one if none is given; None where it is gone, or the
    system does not tell.
    """
    if pages := _pages("self" if pid is None else pid):
        return pages[1]
    return highest() if resource and pid is None else None


def highest() -> int:
    """Bytes that this process held at most until now."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )


def free(device: torch.device) -> int | None:
    """Bytes that this process may still take: the least that the system, the container and the
    shell (ulimit -v) leave; of a GPU what it may have in all, its own included. None where nobody
    tells.
    """
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device)
    if device.type != "cpu":
        return None
    left = [_left_by_system(), *_left_by_container(), _left_by_shell()]
    known = [each for each in left if each is not None]
    return max(0, min(known)) if known else None


def _pages(process: int | str = "self") -> tuple[int, int] | None:
    """Bytes of a process's address space, and of those in memory."""
    with suppress(OSError, ValueError, IndexError):
        sizes = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()
        return int(sizes[0]) * resource.getpagesize(), int(sizes[1]) * resource.getpagesize()
    return None


def _left_by_system() -> int | None:
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        available = next(line for line in lines if line.startswith("MemAvailable"))
        return int(available.split()[1]) * 1024
    return None


def _left_by_container(root: Path = Path("/sys/fs/cgroup")) -> list[int]:
    """Of each group that this process is in and that has a limit; version 2, then version 1."""
    groups = []
    with suppress(OSError, ValueError):
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
        groups = [line.split(":", 2)[1:] for line in lines]
    found = []
    for controllers, path in groups:
        if controllers == "":
            folders, names = _upwards(root, path), ("memory.max", "memory.current")
        elif "memory" in controllers.split(","):
            folders = _upwards(root / "memory", path)
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
        else:
            continue
        found += [left for folder in folders if (left := _left_in(folder, *names)) is not None]
    return found


def _upwards(root: Path, path: str) -> list[Path]:
    """The group and those that hold it; inside a container its own is the root."""
    own = root / path.lstrip("/")
    return [root, *(folder for folder in (own, *own.parents) if root in folder.parents)]


def _left_in(folder: Path, limit: str, usage: str) -> int | None:
    """What is not used of the limit; pages of files that can be dropped do not count as used."""
    with suppress(OSError, ValueError):
        allowed = int((folder / limit).read_text(encoding="ascii"))
        used = int((folder / usage).read_text(encoding="ascii"))
        lines = (folder / "memory.stat").read_text(encoding="ascii").splitlines()
        stat = dict(line.split() for line in lines)
        dropped = int(stat.get("total_inactive_file", stat.get("inactive_file", 0)))
        return allowed - used + dropped if allowed < UNLIMITED else None
    return None


def _left_by_shell() -> int | None:
    pages = _pages()
    if resource is None or pages is None:
        return None
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    return None if limit == resource.RLIM_INFINITY else limit - pages[0]


def remedy(recipe: Recipe, images: int, fitting: int) -> str:
    """The flags with which a step of `images` is passed `fitting` at a time, or is smaller."""
    if fitting < 1:
        return "not even one image fits: give a smaller --size or another network"
    parts = math.ceil(images / fitting)
    batch = max(1, recipe.batch_size * fitting // images)
    return (
        f"give --accumulate {parts} to pass each batch in parts of {math.ceil(images / parts)} "
        f"images, or --batch-size {batch}"
    )


@contextmanager
def explained(
    recipe: Recipe, images: int, known: Callable[[], Lack | None] = lambda: None
) -> Iterator[None]:
    """RunError, with what to type, where memory is refused in here. `images` of a step in this
    process; what is known to fit is offered, else half.
    """

    def sentence() -> str:
        now, lack = math.ceil(images / recipe.accumulate), known()
        parts = f" in {recipe.accumulate} parts" if recipe.accumulate > 1 else ""
        offer = remedy(recipe, images, lack.fitting if lack else now // 2)
        return f"for a step of {images} images{parts}; {offer}"

    with not_enough(sentence):
        yield


@contextmanager
def not_enough(sentence: Callable[[], str]) -> Iterator[None]:
    """RunError where memory is refused in here; the sentence says for what, and what to type."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not _is_refusal(error):
            raise
        raise RunError(f"there is not enough memory {sentence()}") from error


def _is_refusal(error: BaseException) -> bool:
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in REFUSALS)
