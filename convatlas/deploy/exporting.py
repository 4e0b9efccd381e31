"""From a finished run to a proved file."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from convatlas.deploy.engines import (
    KINDS,
    REPOSITORIES,
    Kind,
    Opened,
    open_unproved,
    proof_path,
)
from convatlas.deploy.proof import LIMITS, Batch, Proof, batches_of, prove, write_proof
from convatlas.deploy.sample_pictures import sample_batches
from convatlas.deploy.writers import write
from convatlas.errors import DataError, Error, ExportError, RecipeError, first_line
from convatlas.finished_run import open_run
from convatlas.model_file import Saved, load_model


def export(
    model: Saved | str | Path, to: str = "onnx", output: str | Path | None = None
) -> tuple[Path, Proof]:
    """Writes a file that takes raw pictures and answers as `predict` does, and its proof beside it.

    `model` is a finished run's folder, or what load_model or open_network gave; `to` one of KINDS,
    or of REPOSITORIES, for a model repository that holds such a file. A run is proved with its own
    validation pictures, or its test pictures where it has no others; a network whose pictures are
    not there with 64 built-in ones. Raises ExportError for an
    engine that is not installed, a place that holds a file or cannot be written, and a file that
    misses its limit, of which nothing is left; ModelFileError for a run that cannot be read.
    """
    if to in REPOSITORIES:
        from convatlas.deploy.repositories import export_repository

        return export_repository(model, to, output)
    if to not in KINDS:
        raise ExportError(
            f"to = {to!r} is not allowed; allowed: {' | '.join([*KINDS, *REPOSITORIES])}"
        )
    kind = KINDS[to]
    saved = model if isinstance(model, Saved) else load_model(model)
    place = Path(output or saved.network + kind.suffix).expanduser()
    if place.suffix != kind.suffix:
        raise ExportError(f"{place} must end in {kind.suffix}, as files for {to} do")
    try:
        require_free(place, kind)
        batches, source = _pictures(None if isinstance(model, Saved) else model)
        return place, _proved(saved, kind, place, batches, source)
    except OSError as error:
        raise ExportError(
            f"cannot write {place} ({error.strerror or error}); choose another place with --output"
        ) from None


def _proved(saved: Saved, kind: Kind, place: Path, batches: Iterator[Batch], source: str) -> Proof:
    """In a folder beside the place until it is proved, so that nothing unproved is ever there."""
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".export-") as folder:
        written = Path(folder) / place.name
        try:
            write(saved, kind.name, written)
        except (Error, OSError):
            raise
        except Exception as error:  # each engine's writer raises its own
            raise ExportError(
                f"{kind.package} cannot write {place} ({first_line(error)}); check its free "
                "space, or choose another engine with --to"
            ) from error
        forms = _forms(written, kind)
        proofs = prove(saved, forms, batches, source)
        proofs.sort(key=lambda one: not one.holds)  # the usual one first, where it holds
        proof = replace(proofs[0], others=tuple(proofs[1:]))
        if not proof.holds:
            raise ExportError(
                f"{saved.network} as {kind.name} does not answer as predict does, and was not "
                f"kept: {proof}"
            )
        write_proof(proof, forms[0], written)
        take(written, place, kind)
    return proof


def _forms(written: Path, kind: Kind) -> list[Opened]:
    """The file in the engine's default precision, and in f32 where that is another one."""
    usual = open_unproved(written)
    if usual.precision == "f32" or "f32" not in kind.precisions:
        return [usual]
    plain = open_unproved(written, "f32")
    return [usual, plain] if usual.precision in LIMITS else [plain]


def take(written: Path, place: Path, kind: Kind) -> None:
    """Moves the files of an export to their place, the proof last: until then none is there. Where
    one cannot be moved, those that were are taken away again.
    """
    moves = {
        written.with_suffix(suffix): place.with_suffix(suffix)
        for suffix in filter(None, (kind.beside, kind.suffix))
    }
    moves[proof_path(written)] = proof_path(place)
    done = []
    try:
        for source, target in moves.items():
            source.replace(target)
            done.append(target)
    except OSError:
        for target in done:
            target.unlink(missing_ok=True)
        raise


def require_free(place: Path, kind: Kind) -> None:
    """ExportError where any file of the export exists already."""
    for suffix in filter(None, (kind.suffix, kind.beside)):
        for file in (place.with_suffix(suffix), proof_path(place)):
            if file.exists():
                raise ExportError(f"{file} exists; remove it, or name another with --output")


def _pictures(run: str | Path | None) -> tuple[Iterator[Batch], str]:
    """A run's own pictures where they can be read, else the built-in ones; and what they are."""
    if run is not None:
        try:
            saved, _, images = open_run(run)
        except (DataError, RecipeError):
            pass
        else:
            name = "val" if "val" in images.parts else images.usual
            split = images.of(images.split(name))
            return batches_of(split, saved.preprocess.white), f"{name} pictures of {images.name}"
    return ((pictures, None) for pictures in sample_batches()), "built-in pictures"
