"""How much memory there still is, what to type where it is too little, and one sentence for every
way in which a library says that it got none.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from convatlas.errors import RunError
from convatlas.machine import free_memory
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


def free(device: torch.device) -> int | None:
    """Bytes that this process may still take: the least that the system, the container and the
    shell (ulimit -v) leave; of a GPU what it may have in all, its own included. None where nobody
    tells.
    """
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device)
    return free_memory() if device.type == "cpu" else None


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
