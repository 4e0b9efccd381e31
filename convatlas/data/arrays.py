"""Images that lie in memory already, as a set that a run can learn from."""

import hashlib
from collections.abc import Sequence

from torch import Tensor

from convatlas.data.split import ArraySplit, Data, hold_out

Arrays = tuple[Tensor, Tensor]  # images uint8 (n, 1 or 3, H, W), labels int64 (n,)


def data_of_arrays(
    name: str,
    classes: Sequence[str],
    train: Arrays,
    test: Arrays | None = None,
    seed: int = 0,
    val_fraction: float = 0.1,
) -> Data:
    """A set with a share of `train`, drawn by lot with `seed`, held out for validation, every class
    giving its part. Labels are numbers of `classes`; without `test` nothing is there to be tested.

    The same arrays are parted in the same way whatever they are called. Where every class has a
    single image, those that teach validate too.
    """
    images, labels = train
    everything = ArraySplit(images, labels, [f"train/{i}" for i in range(len(labels))])
    learnt, val = hold_out(everything, classes, val_fraction * len(everything), seed)
    val = val if len(val) else learnt
    tested, truth = test or (images[:0], labels[:0])
    return Data(
        name,
        tuple(classes),
        images.shape[1],
        learnt,
        val,
        ArraySplit(tested, truth, [f"test/{i}" for i in range(len(truth))]),
        fingerprint_of(*train, *(test or ())),
    )


def fingerprint_of(*arrays: Tensor) -> str:
    """sha256, in hex, over the values of the arrays, one after the other."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(array.numpy().tobytes())
    return digest.hexdigest()
