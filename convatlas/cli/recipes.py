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
    if json:
        print(json_.dumps(found))
        return 0
    from rich.padding import Padding

    from convatlas.cli.printing import open_console

    console = open_console()
    width = max(len(about["name"]) for about in found) + 2
    for about in found:
        network, data = about["network"] or "any network", about["data"] or "any data"
        console.print(f"{about['name']:<{width}}{network} on {data}", style="bold")
        console.print(Padding(about["line"], (0, 0, 0, 4)))
    console.print(
        "convatlas recipes NAME prints one, convatlas train --recipe NAME follows it", style="dim"
    )
    return 0
