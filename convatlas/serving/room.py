"""Room for decoded pictures: a small file can hold a large one, and many can come at once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field


@dataclass(eq=False)
class Room:
    """For so many megapixels at once, first come, first served: a large picture is not overtaken
    for ever by small ones.
    """

    megapixels: float
    taken: float = 0.0
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _freed: asyncio.Event = field(default_factory=asyncio.Event)

    @contextlib.asynccontextmanager
    async def holding(self, megapixels: float) -> AsyncIterator[None]:
        """Waits until there is room. `megapixels` is at most what the whole room holds."""
        async with self._turn:
            while self.taken + megapixels > self.megapixels:
                self._freed.clear()
                await self._freed.wait()
            self.taken += megapixels
        try:
            yield
        finally:
            self.taken -= megapixels
            self._freed.set()
