"""What this room says when data cannot be used."""

from convatlas.errors import DataError

NAMED_AT_MOST = 20


def broken_images(reasons: list[str]) -> DataError:
    """One error for all the images that could not be read, the first twenty by name."""
    sentence = reasons[0] if len(reasons) == 1 else _list(reasons)
    return DataError(sentence, reasons=tuple(reasons))


def _list(reasons: list[str]) -> str:
    lines = [f"{len(reasons)} images cannot be used:", *reasons[:NAMED_AT_MOST]]
    if len(reasons) > NAMED_AT_MOST:
        lines.append(f"and {len(reasons) - NAMED_AT_MOST} more")
    return "\n  ".join(lines)


def listed(names) -> str:
    """'cat', 'dog' and so on, of very many only the first."""
    return unquoted(map(repr, names))


def unquoted(names) -> str:
    """cat, dog and so on, of very many only the first."""
    names = list(names)
    more = f" and {len(names) - NAMED_AT_MOST:,} more" if len(names) > NAMED_AT_MOST else ""
    return ", ".join(names[:NAMED_AT_MOST]) + more
