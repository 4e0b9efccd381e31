"""recipes: the runs that come with convatlas."""

import json as json_

from convatlas.training import builtin


def recipes(name: str | None = None, *, network: str | None = None, json: bool = False) -> int:
    """List the recipes that come with convatlas, or print one.

    Each is a TOML file. `convatlas train --recipe NAME` follows it; print it into a file to make it
    your own.

    Parameters
    ----------
    name: str
        Print this recipe, comments and all.
    network: str
        Only those for this network, and those for any.
    json: bool
        Print JSON.
    """
    if name:
        text = builtin.source(name)
        print(
            json_.dumps(builtin.about(name) | {"toml": text}) if json else text,
            end="\n" if json else "",
        )
        return 0
    found = [
        about
        for about in map(builtin.about, builtin.names())
        if network in (None, about["network"]) or not about["network"]
    ]
    print(json_.dumps(found) if json else "\n".join(_table(found)))
    return 0


def _table(found: list[dict]) -> list[str]:
    rows = [
        (about["name"], about["network"] or "any", about["data"] or "any", about["line"])
        for about in found
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    return [
        "  ".join(
            [*(cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=True)), row[-1]]
        )
        for row in rows
    ]
