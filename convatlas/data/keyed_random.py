"""Randomness that is a function of its key, and of nothing else.

Order depends on (seed, epoch), augmentation on (seed, epoch, index): no generator is advanced, so
nothing depends on what was drawn before, on how many workers draw, or on where a run was resumed.
The hash is splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
OOPSLA 2014), in which the i-th output of a seed costs as much as the first. Integers only, up to
the last step: the bits are the same on every machine and with every numpy.
"""

import hashlib
from collections.abc import Sequence

import numpy as np

from convatlas.data.names import Names

WORD = 2**64 - 1  # arithmetic is modulo 2^64
GOLDEN = 0x9E3779B97F4A7C15  # 2^64 / golden ratio, splitmix64's step
ORDER, DRAWS, SPLIT, STEPS, LOTS = (
    1,
    2,
    3,
    4,
    5,
)  # separate streams: an image's place says nothing of its distortion


def _mix(z: np.ndarray) -> np.ndarray:
    """splitmix64's finaliser: a bijection of 64-bit words in which every input bit reaches every
    output bit.
    """
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _stream(keys: np.ndarray, counters: np.ndarray) -> np.ndarray:
    """The counter-th output (from 0) of splitmix64 seeded with key, elementwise
    with broadcasting.
    """
    return _mix(keys + (counters + np.uint64(1)) * np.uint64(GOLDEN))


def _key(*words: int) -> np.ndarray:
    """One 64-bit key, shape (1,), for a tuple of whole numbers of any size or sign."""
    key = np.zeros(1, np.uint64)
    for word in words:
        key = _stream(key, np.array([word & WORD], np.uint64))
    return key


def order(n: int, seed: int, epoch: int) -> np.ndarray:
    """A permutation of 0..n-1 as int64 (n,), the same for the same (n, seed, epoch) everywhere."""
    return np.argsort(
        _stream(_key(ORDER, seed, epoch), np.arange(n, dtype=np.uint64)), kind="stable"
    )


def lots(n: int, seed: int, epoch: int) -> np.ndarray:
    """A uint64 (n,) by which to shuffle within parts of what `order` has ordered already."""
    return _stream(_key(LOTS, seed, epoch), np.arange(n, dtype=np.uint64))


def draws(seed: int, epoch: int, indices, k: int) -> np.ndarray:
    """k uniform numbers in [0, 1) for each index, float64 (len(indices), k); a row depends on its
    own index only.
    """
    each = _stream(_key(DRAWS, seed, epoch), np.asarray(indices).astype(np.uint64))
    bits = _stream(each[:, None], np.arange(k, dtype=np.uint64))
    return (bits >> np.uint64(11)) * 2.0**-53


def step_draws(seed: int, epoch: int, step: int, k: int) -> np.ndarray:
    """k uniform numbers in [0, 1) for a whole step, float64 (k,)."""
    return (
        _stream(_key(STEPS, seed, epoch, step), np.arange(k, dtype=np.uint64)) >> np.uint64(11)
    ) * 2.0**-53


def ranks(names: Sequence[str], seed: int) -> np.ndarray:
    """A uint64 (n,) for each name, by which to draw lots: adding a name changes
    nobody else's lot.
    """
    digests = [hashlib.blake2b(name, digest_size=8).digest() for name in Names.of(names).encoded()]
    return _stream(_key(SPLIT, seed), np.frombuffer(b"".join(digests), "<u8").astype(np.uint64))
