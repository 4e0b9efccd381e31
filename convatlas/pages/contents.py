"""What leads to the pages: their contents, and the errata of all papers."""

from convatlas.anatomy.table import by
from convatlas.pages.markdown import code, document, link, plain, table
from convatlas.pages.page import errata as errata_of
from convatlas.pages.page import file, params
from convatlas.pages.works import Work


def table_of_contents(works: list[Work]) -> str:
    networks = {name: (work, facts) for work in works for name, facts in work.networks.items()}
    rows = [
        (
            code(name),
            params(facts),
            f"{facts['macs']:,}",
            by(facts["input_size"]),
            link(work.page, f"{work.page}.md"),
        )
        for name, (work, facts) in sorted(networks.items())
    ]
    return document(
        "# Papers",
        f"{len(works)} papers, or what stands for one, and their {len(networks)} networks. "
        "Parameters: all weights, biases and scales, no running statistics.\nMultiply-adds: of "
        "convolutions and linear layers, for one image. Written by `make docs` from the index; do "
        "not edit.",
        _papers(works),
        "## All networks",
        table(
            {
                "network": "left",
                "parameters": "right",
                "multiply-adds": "right",
                "input": "right",
                "paper": "left",
            },
            rows,
        ),
    )


def errata(works: list[Work]) -> str:
    claims = [claim for work in works for _, claim in work.claims()]
    wrong = sum(claim["status"] == "erratum" for claim in claims)
    blocks = [
        block
        for work in works
        if (entries := errata_of(work))
        for block in (
            f"## {link(plain(work.paper['title']), f'papers/{work.page}.md')}",
            "\n".join(entries),
        )
    ]
    return document(
        "# Errata",
        f"Of {len(claims)} printed numbers {wrong} cannot be right. Each is given with what is "
        "measured, its place, and the reason.\nWritten by `make docs` from the index; do not edit.",
        *blocks,
    )


def _papers(works: list[Work]) -> str:
    return table(
        {"year": "left", "paper": "left", "networks": "left", "file": "left"},
        [
            (
                work.paper["year"],
                link(plain(work.paper["title"]), f"{work.page}.md"),
                _networks(work),
                ", ".join(file(family, "../../") for family in work.families),
            )
            for work in works
        ],
    )


def _networks(work: Work) -> str:
    others = len(work.networks) - 1
    return code(work.bare) + (f" and {others} more" if others else "")
