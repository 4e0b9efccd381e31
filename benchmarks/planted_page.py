"""The section of docs/mutants.md on the faults that planted_faults.py plants in networks."""

from collections import Counter
from pathlib import Path

from benchmarks.fault_kinds import RULES

PAGE = Path(__file__).parents[1] / "docs" / "mutants.md"
COLUMNS = ("function", "layers", "settings", "contract", "stops", "not seen", "no fault")
HEADING = "## In the networks\n"


def reason(result: dict, reasons: list[dict]) -> str:
    """Why no test can see a survivor; "" where nobody has said so."""
    for each in reasons:
        if all(result[key] == each[key] for key in ("file", "kind", "was", "becomes")):
            return each["reason"]
    return ""


def no_fault(result: dict, reasons: list[dict]) -> bool:
    """Whether a survivor changes nothing that a network could answer."""
    why = reason(result, reasons)
    return any(each["equal"] for each in reasons if why and each["reason"] == why)


def unexplained(results: list[dict], reasons: list[dict]) -> list[dict]:
    return [each for each in results if not each["seen"] and not reason(each, reasons)]


def write(results: list[dict], reasons: list[dict]) -> None:
    before = PAGE.read_text(encoding="utf-8").partition(HEADING)[0].rstrip("\n")
    PAGE.write_text(f"{before}\n\n{section(results, reasons)}", encoding="utf-8")


def kept_section() -> str:
    """What the page holds of it, for who writes the rest of the page anew."""
    _, heading, rest = PAGE.read_text(encoding="utf-8").partition(HEADING)
    return f"\n{heading}{rest}" if heading else ""


def section(results: list[dict], reasons: list[dict]) -> str:
    alive = [each for each in results if not each["seen"]]
    equivalent = [each for each in alive if no_fault(each, reasons)]
    real = len(results) - len(equivalent)
    caught = len(results) - len(alive)
    share = 100 * caught / max(real, 1)
    networks = len({each["network"] for each in results})
    lines = [
        HEADING,
        "`make faults` plants twelve kinds of fault in the source of every network, in its own",
        "file and in those that it builds on: in places that the network runs, or that change what",
        "is built. The judge is the network's own check in `make test`: what it computes at two",
        "sizes, then its layer table, then the table of its constants and initial weights in",
        f"tests/constants, then the contract of tests/test_nets.py. Of {real} faults in {networks}",
        f"networks {caught} were seen ({share:.2f} %); {len(equivalent)} more",
        "change nothing that a network could answer, and are not counted.",
        "",
        f"| kind | networks | planted | {' | '.join(COLUMNS)} |",
        "|---|---|---|" + "---|" * len(COLUMNS),
        *(_row(kind, results, reasons) for kind in RULES),
        "",
    ]
    return "\n".join([*lines, *_told(alive, reasons)]) + "\n"


def _row(kind: str, results: list[dict], reasons: list[dict]) -> str:
    mine = [each for each in results if each["kind"] == kind]
    seen = Counter(each["seen"] for each in mine)
    equal = sum(not each["seen"] and no_fault(each, reasons) for each in mine)
    networks = len({each["network"] for each in mine})
    stops = seen["building"] + seen["running"]
    cells = (
        *(kind, networks, len(mine), seen["function"], seen["layers"], seen["settings"]),
        *(seen["contract"], stops),
        *(seen[""] - equal, equal),
    )
    return f"| {' | '.join(map(str, cells))} |"


def _told(alive: list[dict], reasons: list[dict]) -> list[str]:
    """The survivors, those of several networks once."""
    places: dict[tuple, list[str]] = {}
    for each in alive:
        why = reason(each, reasons) or "NOT EXPLAINED"
        place = (each["kind"], each["file"], each["was"], each["becomes"], why)
        places.setdefault(place, []).append(each["network"])
    lines = [
        f"- {kind}, `{file}`: `{was}` -> `{becomes}` ({', '.join(names)}): {why}."
        for (kind, file, was, becomes, why), names in sorted(places.items())
    ]
    return ["Not seen, and why:", "", *(lines or ["None."])]
