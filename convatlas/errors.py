"""Every error of ours, under one base. Each says what is wrong, where, and the remedy, in one
sentence.

    Error
        UnknownNetwork      a name that is not in the atlas
        InputError          a batch or an image size that a network cannot read
        ClaimError          a claim that cannot be measured
        DataError           images or a data set that cannot be used
        RecipeError         a field that is unknown, of the wrong type or out of range
        WeightsError        a checkpoint of any library that is refused
        ModelFileError      a trained network on disk that cannot be read
        ExportError         an exported file that cannot be written, proved or read
        DrawingError        a drawing that there is not, or that cannot be written
        IdentifyError       code, a graph or a file of which no network can be read
        PublishingError     a trained network that cannot be published, or had from the hub
        MultiCropError      crops or sizes that do not fit the network
        RunError            a run that cannot start or go on
            ProcessLost     one of whose processes is gone; all can be started again
        CheckpointError     a checkpoint of a run that cannot be written or read
        ReportError         a report that cannot be written, or in a form that there is not
        Stopped             a run that was asked to leave, has saved, and can be resumed

The command line leaves with an error's `exit_code`. Imports nothing.
"""

FAILED = 1
WRONG_USAGE = 2
RESUMABLE = 75


class Error(Exception):
    """The base of all errors that convatlas raises on purpose.

    A `quiet` one is not printed: another process of the same run says it.
    """

    exit_code = FAILED

    def __init__(self, *message: object, quiet: bool = False):
        super().__init__(*message)
        self.quiet = quiet


class UnknownNetwork(Error, ValueError):
    """No network of that name; the message offers the nearest names."""

    exit_code = WRONG_USAGE


class InputError(Error, ValueError):
    """A batch, an image size or a count that a network cannot take: which network, and what it
    reads.
    """


class ClaimError(Error, ValueError):
    """A claim that cannot be measured, and why: it then fails."""


class DataError(Error, ValueError):
    """Data that cannot be used: what, where, and the remedy, in a sentence meant for the user.

    reasons: one sentence for each broken image, where images are the trouble.
    reason: of a single image, what is wrong; the remedy.
    reading: the file that a worker had open when it failed.
    """

    def __init__(
        self, *message: object, reasons: tuple[str, ...] = (), reason: str = "", reading: str = ""
    ):
        super().__init__(*message)
        self.reasons, self.reason, self.reading = reasons, reason, reading


class RecipeError(Error, ValueError):
    """A field that is unknown, of the wrong type or out of range: names the field, the value and
    what is allowed.
    """

    exit_code = WRONG_USAGE


class WeightsError(Error, ValueError):
    """A checkpoint that is refused: which file, what is wrong, the remedy."""


class ModelFileError(Error, ValueError):
    """A saved network that cannot be read: which file, what is wrong, the remedy."""


class ExportError(Error, ValueError):
    """An exported file that cannot be written, proved or read: which, why, the remedy."""


class DrawingError(Error, ValueError):
    """A drawing that there is not, or that cannot be written: which, and what there is instead."""

    exit_code = WRONG_USAGE


class IdentifyError(Error, ValueError):
    """Code, a graph or a file of which no network can be read: what, why, what was read so far."""

    exit_code = WRONG_USAGE


class PublishingError(Error, ValueError):
    """A trained network that cannot be published, or had from the hub: which, why, the remedy."""


class MultiCropError(Error, ValueError):
    """Crops or sizes that do not exist, or do not fit the network: which, and what is allowed."""


class RunError(Error):
    """A run that cannot start or go on: what, where, and the remedy in one sentence."""


class ProcessLost(RunError):
    """Another process of the run is gone, or does not answer: which, at which step. The checkpoints
    are as they were, and the run can be resumed.
    """

    exit_code = RESUMABLE


class CheckpointError(Error):
    """A checkpoint that cannot be written or read: which, and why."""


class ReportError(Error, ValueError):
    """A report that cannot be written, or in a form that there is not: which, and the remedy."""


class Stopped(Error):
    """A signal asked the run to leave; it has saved, and can be resumed."""

    exit_code = RESUMABLE


def first_line(error: BaseException) -> str:
    """What a library says of its error, in one line; its kind where it says nothing."""
    return next(iter(str(error).splitlines()), type(error).__name__)
