"""compress: a network in a tenth of the room, and back."""

import sys
from pathlib import Path

from convatlas.cli.flags import Source, Weights
from convatlas.errors import RecipeError

ENDING = ".dc"
TURNED_BACK = (ENDING, ".net")


def compress(
    subject: str,
    *,
    weights: Weights = None,
    source: Source = None,
    data: str | None = None,
    output: Path | None = None,
    keep: float = 0.33,
    bits: int = 6,
    linear_bits: int = 5,
    epochs: int = 5,
    lr: float = 1e-3,
    workers: int = 0,
) -> int:
    """Prune a network, share its weights and write it with Huffman codes, as SqueezeNet's paper
    did.

    Of a run, the network is trained again after each step, and tested before and after. With
    --weights nothing is trained. The file goes wherever a run goes: predict, eval and export read
    it. It is turned back into a plain folder, too, as is compressed_SqueezeNet.net of SqueezeNet's
    authors.

    Parameters
    ----------
    subject: str
        The folder of a finished run; with --weights a network's name; or a file to turn back, .dc
        or the authors' .net.
    data: str
        Where the run's images lie now.
    output: Path
        The file to write, or of a .dc file the folder [NAME.dc in the run's folder, or here].
    keep: float
        The share of each layer's weights that stays.
    bits: int
        Of a shared weight's code in convolutions, 1 to 8.
    linear_bits: int
        The same in fully connected layers.
    epochs: int
        Of training after pruning, and as many after sharing.
    lr: float
        The learning rate after pruning; a tenth of it after sharing.
    workers: int
        Processes that read images.
    """
    if subject.endswith(TURNED_BACK) and weights is None:
        return _restored(subject, output)
    from convatlas.cli.opening import opened, require_run
    from convatlas.compression import deep_compression
    from convatlas.compression.subject import of_run

    settings = deep_compression.Settings(keep, bits, linear_bits, epochs, lr)
    if weights is not None:
        if data:
            raise RecipeError("--data goes with a run; with --weights nothing is trained")
        saved, run = opened(Path(subject), weights, source, "cpu"), None
    else:
        require_run(Path(subject), source)
        run = of_run(subject, data)
        saved = run.saved
    path = output or Path(subject if run else ".") / f"{saved.network}{ENDING}"
    deep_compression.require_free(path)
    teaching = run.teaching(workers) if run and epochs else None
    found = deep_compression.compress(saved, settings, teaching)
    deep_compression.write(found, path)
    print(
        f"{found.kept:,} of {found.weights:,} weights kept "
        f"({100 * found.kept / found.weights:.1f} %), {len(found.content):,} bytes, 1/"
        f"{found.plain / len(found.content):.1f} of the network's {found.plain:,}"
    )
    if run:
        before, after = run.accuracy(saved, workers), run.accuracy(found.saved, workers)
        print(f"right before {100 * before.accuracy:.2f} %, now {100 * after.accuracy:.2f} %")
    else:
        print("note: nothing was trained after it; compress a run to train", file=sys.stderr)
    print(f"wrote {path}; `convatlas compress {path} --output FOLDER` turns it back")
    return 0


def _restored(file: str, output: Path | None) -> int:
    if output is None:
        raise RecipeError(f"where to? `convatlas compress {file} --output FOLDER` turns it back")
    from convatlas.compression.subject import restore

    restore(file, output)
    print(f"wrote {output}, the same weights bit for bit")
    return 0
