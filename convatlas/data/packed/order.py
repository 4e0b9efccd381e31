"""The order of an epoch in which neighbours on disk are read at about the same time.

Blocks of consecutive rows are permuted, then the images within each window of several blocks. Rows
were shuffled once when the set was packed, so that a block is a sample of the whole set and a
window a large one, whatever the folders were like: each batch is near enough to one drawn from all
images. What is weaker than a full permutation: two images of one block are always within a window
of each other.
"""

import numpy as np

from convatlas.data import keyed_random

BLOCK = 128  # rows
WINDOW = 32  # blocks
FULLY = 2**16  # images, up to which the order is a permutation of all of them, as of a folder's


def order(rows: np.ndarray, seed: int, epoch: int) -> np.ndarray:
    """The order of images that lie in these rows: a permutation of 0..n-1 as int64 (n,), a function
    of (rows, seed, epoch) alone.
    """
    n = len(rows)
    if n <= FULLY:
        return keyed_random.order(n, seed, epoch)
    blocks = keyed_random.order(-(-n // BLOCK), seed, epoch)
    places = (blocks[:, None] * BLOCK + np.arange(BLOCK)).reshape(-1)
    places = places[places < n]
    windows = np.arange(n) // (BLOCK * WINDOW)
    shuffled = np.lexsort((keyed_random.lots(n, seed, epoch), windows))
    return np.argsort(rows, kind="stable")[places[shuffled]]
