"""The line in which requests wait for the engine: of bounded length, answered by one thread in
batches of what stands in it, and left by clients that have gone.
"""

import asyncio
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from convatlas.serving.models import Model
from convatlas.serving.refusal import Refusal

LARGEST_BATCH = 16  # pictures that are answered together
LARGEST_TOGETHER = 4_000_000  # pixels of a batch: an engine scales large ones down one by one
RETRY_AFTER = 1  # seconds


@dataclass(eq=False)
class Waiting:
    model: Model
    pictures: np.ndarray
    answer: asyncio.Future


@dataclass(eq=False)
class Line:
    """`places`: requests that may be inside at once, from before their body is read until they are
    answered.
    """

    places: int
    taken: int = 0
    batches: int = 0
    pictures: int = 0
    busy: bool = False  # the engine has a batch
    _waiting: list[Waiting] = field(default_factory=list)
    _came: asyncio.Event = field(default_factory=asyncio.Event)
    _thread: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="engine")
    )

    def __enter__(self) -> None:
        """Takes a place. Raises Refusal (503) where none is free."""
        if self.taken >= self.places:
            raise Refusal(
                503,
                "the server has as many requests as it can hold; ask again",
                {"Retry-After": str(RETRY_AFTER)},
            )
        self.taken += 1

    def __exit__(self, *fault) -> None:
        self.taken -= 1

    async def answer(self, model: Model, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(logits, probabilities) of pictures (N, H, W, C). Who is cancelled leaves the line."""
        waiting = Waiting(model, pictures, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._came.set()
        return await waiting.answer

    async def work(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self._came.wait()
            together = self._next()
            if not together:
                self._came.clear()
                continue
            try:
                answers = await loop.run_in_executor(self._thread, self._run, together)
            except Exception as fault:  # of the engine, for these requests only
                for waiting in together:
                    _give(waiting, fault)
                continue
            self.batches += 1
            for waiting, answer in zip(together, answers, strict=True):
                self.pictures += len(waiting.pictures)
                _give(waiting, answer)

    def _next(self) -> list[Waiting]:
        """The first of the line, and those behind it that fit into its batch."""
        line = [waiting for waiting in self._waiting if not waiting.answer.done()]
        together, count = [], 0
        for waiting in line:
            more = count + len(waiting.pictures)
            alike = not together or (
                waiting.model is together[0].model
                and waiting.pictures.shape[1:] == together[0].pictures.shape[1:]
                and more <= LARGEST_BATCH
                and more * math.prod(waiting.pictures.shape[1:3]) <= LARGEST_TOGETHER
            )
            if alike:
                together.append(waiting)
                count = more
        self._waiting = [waiting for waiting in line if waiting not in together]
        return together

    def _run(self, together: list[Waiting]) -> list[tuple[np.ndarray, np.ndarray]]:
        self.busy = True
        try:
            pictures = np.concatenate([waiting.pictures for waiting in together])
            logits, probabilities = together[0].model.opened(pictures)
        finally:
            self.busy = False
        ends = np.cumsum([len(waiting.pictures) for waiting in together])[:-1]
        return list(zip(np.split(logits, ends), np.split(probabilities, ends), strict=True))


def _give(waiting: Waiting, answer: object) -> None:
    if waiting.answer.done():
        return
    if isinstance(answer, Exception):
        waiting.answer.set_exception(answer)
    else:
        waiting.answer.set_result(answer)
