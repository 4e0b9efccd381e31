"""The line before the engine: who is answered together, and who is not."""

import asyncio

import numpy as np
import pytest

from convatlas.deploy.engines import Opened
from convatlas.deploy.record import Record
from convatlas.serving.line import LARGEST_BATCH, Line
from convatlas.serving.models import Model
from convatlas.serving.refusal import Refusal
from convatlas.serving.room import Room


def noting(batches: list, name: str = "one") -> Model:
    """A model that keeps the shapes of its batches; a level of 13 breaks its engine."""

    def run(pictures):
        batches.append((name, *pictures.shape[:3]))
        if (pictures == 13).any():
            raise RuntimeError("engine")
        level = pictures.mean((1, 2, 3), dtype=np.float32)[:, None]
        return level, level + 1

    record = Record("lenet5", ("bright",), {}, "", {}, {})
    return Model(name, Opened(record, "numpy 2", "f32", run))


def pictures(level: int, count: int = 1, side: int = 4) -> np.ndarray:
    return np.full((count, side, side, 3), level, np.uint8)


def answers(asked: list, line: Line) -> list:
    """What each of `asked`, (model, pictures), is given when all stand in the line at once."""

    async def ask() -> list:
        waiting = [asyncio.ensure_future(line.answer(*one)) for one in asked]
        await asyncio.sleep(0)
        working = asyncio.ensure_future(line.work())
        found = await asyncio.gather(*waiting, return_exceptions=True)
        working.cancel()
        return found

    return asyncio.run(ask())


def test_what_waits_is_answered_together_each_with_its_own():
    batches, line = [], Line(64)
    model = noting(batches)
    found = answers([(model, pictures(level, level)) for level in (1, 2, 3)], line)
    assert batches == [("one", 6, 4, 4)]
    for level, (logits, shares) in zip((1, 2, 3), found, strict=True):
        np.testing.assert_array_equal(logits, np.full((level, 1), level))
        np.testing.assert_array_equal(shares, logits + 1)
    assert (line.batches, line.pictures) == (1, 6)


def test_other_sizes_and_other_models_are_not():
    batches = []
    one, two = noting(batches), noting(batches, "two")
    asked = [(one, pictures(1)), (two, pictures(2)), (one, pictures(3, side=5))]
    found = answers([*asked, (one, pictures(4))], Line(64))
    assert batches == [("one", 2, 4, 4), ("two", 1, 4, 4), ("one", 1, 5, 5)]
    assert [logits.item() for logits, _ in found] == [1, 2, 3, 4]


def test_a_batch_has_a_largest_size():
    batches = []
    answers([(noting(batches), pictures(1))], Line(64))
    model = noting(batches)
    answers([(model, pictures(1))] * (LARGEST_BATCH + 1), Line(64))
    assert [count for _, count, *_ in batches] == [1, LARGEST_BATCH, 1]
    batches.clear()
    answers([(model, pictures(1, side=1600))] * 2, Line(64))
    assert [count for _, count, *_ in batches] == [1, 1]  # 2.56 megapixels each


def test_a_fault_of_the_engine_is_that_of_its_batch_alone():
    model, line = noting([]), Line(64)
    broken, fine = answers([(model, pictures(13)), (model, pictures(2, side=5))], line)
    assert isinstance(broken, RuntimeError)
    assert fine[0].item() == 2 and not line.busy


def test_who_leaves_before_the_engine_is_free_is_not_computed():
    batches, line = [], Line(64)
    model = noting(batches)

    async def ask():
        waiting = [asyncio.ensure_future(line.answer(model, pictures(n))) for n in (1, 2, 3)]
        await asyncio.sleep(0)
        waiting[1].cancel()
        working = asyncio.ensure_future(line.work())
        found = await asyncio.gather(*waiting, return_exceptions=True)
        working.cancel()
        return found

    first, left, last = asyncio.run(ask())
    assert isinstance(left, asyncio.CancelledError)
    assert (first[0].item(), last[0].item()) == (1, 3) and batches == [("one", 2, 4, 4)]


def test_the_line_has_so_many_places():
    line = Line(1)
    with line:
        with pytest.raises(Refusal, match="ask again") as caught, line:
            pass
        assert caught.value.status == 503 and caught.value.headers == {"Retry-After": "1"}
    with line:
        assert line.taken == 1


def test_room_is_given_in_order_and_comes_back():
    order = []

    async def hold(room, name, megapixels, until=None):
        async with room.holding(megapixels):
            order.append(name)
            if until:
                await until.wait()

    async def ask():
        room, leaving = Room(10), asyncio.Event()
        first = asyncio.ensure_future(hold(room, "first", 6, leaving))
        large = asyncio.ensure_future(hold(room, "large", 10))
        gone = asyncio.ensure_future(hold(room, "gone", 10))
        small = asyncio.ensure_future(hold(room, "small", 1))
        await asyncio.sleep(0.01)
        assert order == ["first"] and room.taken == 6
        gone.cancel()
        leaving.set()
        await asyncio.gather(first, large, small)
        return room.taken

    assert asyncio.run(ask()) == 0
    assert order == ["first", "large", "small"]
