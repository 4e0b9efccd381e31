"""Pruned weights and shared ones: which are kept, and which few values they have.

Deep Compression (Han, Mao, Dally; ICLR 2016): the smallest weights of a layer are set to zero, and
those that stay share 2^bits values, found by k-means from a linear start (their Sec. 3.2).
"""

from dataclasses import dataclass

import numpy as np

from convatlas.errors import InputError

# of k-means; more would even the clusters out, which costs Huffman's words more than it gains: 100
# make SqueezeNet's file 9 to 13 kB larger and the weights' error an eighth smaller
ROUNDS = 10
SKIP = 255  # the symbol of a gap that means 255 zeros and no weight


@dataclass(frozen=True)
class Shared:
    """A tensor of few values: `codebook[codes]` stand at `places` of it, flat, and zeros elsewhere.

    places: int64 (kept,), ascending; codes: uint8 (kept,); codebook: float32 (at most 256,).
    """

    shape: tuple[int, ...]
    places: np.ndarray
    codes: np.ndarray
    codebook: np.ndarray

    def tensor(self) -> np.ndarray:
        """float32, of the whole shape."""
        flat = np.zeros(int(np.prod(self.shape, dtype=np.int64)), dtype=np.float32)
        flat[self.places] = self.codebook[self.codes]
        return flat.reshape(self.shape)


def kept(weights: np.ndarray, keep: float) -> np.ndarray:
    """Which weights stay, bool of the same shape: the share `keep` of the largest in size, and at
    least one. Of equal ones the first stay.
    """
    if not 0 < keep <= 1:
        raise InputError(f"the share of weights that stays is above 0 and at most 1, not {keep}")
    sizes = np.abs(weights).reshape(-1)
    count = max(1, round(keep * sizes.size))
    chosen = np.argsort(-sizes, kind="stable")[:count]
    mask = np.zeros(sizes.size, dtype=bool)
    mask[chosen] = True
    return mask.reshape(weights.shape)


def share(weights: np.ndarray, mask: np.ndarray, bits: int) -> Shared:
    """The kept weights of a layer, each replaced by the nearest of at most 2^bits values.

    Values that no weight is nearest to are left out. InputError for bits outside 1 to 8.
    """
    if bits not in range(1, 9):
        raise InputError(f"codes have 1 to 8 bits, not {bits}")
    places = np.flatnonzero(mask)
    values = weights.reshape(-1)[places].astype(np.float64)
    centres = k_means(values, 1 << bits)
    codes = nearest(values, centres)
    used, codes = np.unique(codes, return_inverse=True)
    codebook = centres[used].astype(np.float32)
    return Shared(weights.shape, places, codes.astype(np.uint8), codebook)


def k_means(values: np.ndarray, count: int) -> np.ndarray:
    """`count` centres of values (n,), ascending, float64: begun evenly from the smallest value to
    the largest, each moved to the mean of what is nearest to it. One that nothing is nearest to
    stays.
    """
    centres = np.linspace(values.min(), values.max(), count)
    ordered = np.sort(values)
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    for _ in range(ROUNDS):
        middles = (centres[1:] + centres[:-1]) / 2
        edges = np.concatenate([[0], np.searchsorted(ordered, middles), [len(ordered)]])
        sizes = np.diff(edges)
        means = (sums[edges[1:]] - sums[edges[:-1]]) / np.maximum(sizes, 1)
        moved = np.where(sizes > 0, means, centres)
        if np.array_equal(moved, centres):
            break
        centres = np.sort(moved)
    return centres


def nearest(values: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """The number of the centre that each value is nearest to; the centres ascend."""
    return np.searchsorted((centres[1:] + centres[:-1]) / 2, values)


def gaps_of(places: np.ndarray) -> np.ndarray:
    """How many zeros stand before each kept weight, uint8; 255 for 255 zeros and no weight."""
    zeros = np.diff(places, prepend=-1) - 1
    skips = zeros // SKIP
    ends = np.cumsum(skips + 1) - 1
    gaps = np.full(int((skips + 1).sum()), SKIP, dtype=np.uint8)
    gaps[ends] = zeros - SKIP * skips
    return gaps


def places_of(gaps: np.ndarray, size: int) -> np.ndarray:
    """Back to places in a tensor of `size` weights. ValueError where they lead out of it, or end
    with zeros that no weight follows.
    """
    steps = gaps.astype(np.int64) + (gaps != SKIP)
    places = np.cumsum(steps)[gaps != SKIP] - 1
    if len(gaps) and (gaps[-1] == SKIP or places[-1] >= size):
        raise ValueError("its gaps lead out of the tensor")
    return places
