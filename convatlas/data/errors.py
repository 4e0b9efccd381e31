"""What this room says when data cannot be used."""

NAMED_AT_MOST = 20


class DataError(ValueError):
    """Data that cannot be used: what, where, and the remedy, in a sentence meant for the user."""
    reasons: tuple[str, ...] = ()       # one sentence for each broken picture, where pictures are the trouble
    reason: str = ""                    # of a single picture: what is wrong; the remedy
    reading: str = ""                   # the file that a worker had open when it failed


def broken_pictures(reasons: list[str]) -> DataError:
    """One error for all the pictures that could not be read, the first twenty by name."""
    error = DataError(reasons[0] if len(reasons) == 1 else _list(reasons))
    error.reasons = tuple(reasons)
    return error


def _list(reasons: list[str]) -> str:
    lines = [f"{len(reasons)} pictures cannot be used:", *reasons[:NAMED_AT_MOST]]
    if len(reasons) > NAMED_AT_MOST:
        lines.append(f"and {len(reasons) - NAMED_AT_MOST} more")
    return "\n  ".join(lines)
