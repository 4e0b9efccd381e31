"""scale: compound scaling, and what it makes of EfficientNet-B0. Imports no torch."""

from convatlas import registry
from convatlas.cli.printing import open_console, plain_table, print_json
from convatlas.errors import RecipeError
from convatlas.magnitude import short
from convatlas.scaling import ALPHA, BETA, GAMMA, RELEASED, Scaling
from convatlas.scaling import scale as scaled

BASE = "efficientnet_b0"


def scale(network: str, *, phi: float, json: bool = False) -> int:
    """Scale a network's width, depth and resolution by one number, beside EfficientNet-B0 to B7.

    Parameters
    ----------
    network: str
        The network to begin with: efficientnet_b0, the one that was released scaled.
    phi: float
        0 to 7, for EfficientNet-B0 to B7.
    json: bool
        Print JSON.
    """
    registry.require(network, registry.stored_facts())
    if network != BASE:
        raise RecipeError(
            f"{network} was not released scaled by one number; `convatlas scale {BASE} --phi "
            f"{phi:g}` shows the network that was"
        )
    chosen = scaled(phi)
    family = [scaled(number) for number in range(len(RELEASED))]
    records = [_record(one) for one in family]
    stages = list(zip(_stages(BASE), _stages(chosen.network), strict=True))
    if json:
        return print_json(
            records[chosen.phi]
            | {"stages": [{"stage": new[0], "from": old[1:], "to": new[1:]} for old, new in stages]}
            | {"beside": records}
        )
    _print(chosen, family, stages)
    return 0


def _record(one: Scaling) -> dict:
    facts = registry.stored_facts()[one.network]
    return {
        "phi": one.phi,
        "network": one.network,
        "width": one.width,
        "depth": one.depth,
        "resolution": one.resolution,
        "equation": vars(one.equation),
        "params": facts["params"],
        "macs": facts["macs"],
    }


def _stages(network: str) -> list[tuple[str, int, int]]:
    """Each stage's name, channels and blocks; one where it is a convolution."""
    facts = registry.describe(network)
    parts = {tuple(row[0].split(".")[:2]) for row in facts["layers"]["rows"]}
    blocks = {
        stage["name"]: sum(part[0] == stage["name"] and part[-1].isdecimal() for part in parts)
        for stage in facts["stages"]
    }
    return [(s["name"], s["output"][0], max(1, blocks[s["name"]])) for s in facts["stages"]]


def _print(chosen: Scaling, family: list[Scaling], stages: list) -> None:
    console = open_console()
    facts = {one.network: registry.stored_facts()[one.network] for one in family}
    console.print(
        f"{chosen.network}: width {chosen.width}, depth {chosen.depth}, "
        f"{chosen.resolution}x{chosen.resolution} pixels; "
        f"{facts[chosen.network]['params']:,} parameters, {facts[chosen.network]['macs']:,} MACs",
        style="bold",
    )
    console.print()
    made = plain_table("stage", "channels", "blocks", right=("channels", "blocks"))
    for (name, *old), (_, *new) in stages:
        made.add_row(name, *(_change(a, b) for a, b in zip(old, new, strict=True)))
    console.print(made)
    console.print()
    columns = ("phi", "width", "depth", "side", "by Eq. (3)", "params", "MACs", "ratio")
    beside = plain_table("network", *columns, right=columns)
    before = None
    for one in family:
        macs = facts[one.network]["macs"]
        equation = one.equation
        beside.add_row(
            one.network,
            *(str(one.phi), str(one.width), str(one.depth), str(one.resolution)),
            f"{equation.width:.2f} {equation.depth:.2f} {equation.resolution:.0f}",
            *(short(facts[one.network]["params"]), short(macs)),
            f"{macs / before:.2f}" if before else "",
            style="bold" if one is family[chosen.phi] else None,
        )
        before = macs
    console.print(beside)
    console.print(
        "\nratio: MACs, of the row above. "
        f"Eq. (3): width {BETA}^phi, depth {ALPHA}^phi, {GAMMA}^phi times 224 pixels; the "
        "released coefficients are no powers of these for any phi",
        style="dim",
    )


def _change(old: int, new: int) -> str:
    return f"{old} -> {new}" if old != new else str(new)
