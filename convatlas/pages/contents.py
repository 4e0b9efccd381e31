"""What leads to the pages: their contents, and the errata of all papers."""

from convatlas.anatomy.table import by
from convatlas.pages.markdown import code, document, link, paragraph, plain, table
from convatlas.pages.page import file, params
from convatlas.pages.printed import REMARKS, remarked
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
    own = [claim["status"] for claim in claims if not claim["by"]]
    others = [claim["status"] for claim in claims if claim["by"]]
    return document(
        "# Errata",
        paragraph(
            f"The papers print {len(own)} numbers of their own networks that are checked here; "
            f"releases, other papers, libraries and tutorials {len(others)} more. Each that is not "
            "what the network measures by the usual count stands below with its place and the "
            "reason."
        ),
        table(
            {"verdict": "left", "the papers themselves": "right", "others": "right"},
            [
                ("hold", own.count("holds"), others.count("holds")),
                *(
                    (meaning, own.count(kind), others.count(kind))
                    for kind, (_, meaning) in REMARKS.items()
                ),
            ],
        ),
        "Written by `make docs` from the index; do not edit.",
        *(block for work in works for block in _errata_of(work)),
    )


def _errata_of(work: Work) -> list[str]:
    kinds = [
        block
        for kind, (heading, _) in REMARKS.items()
        if (entries := remarked(list(work.claims()), kind))
        for block in (f"### {heading}", "\n".join(entries))
    ]
    title = f"## {link(plain(work.paper['title']), f'papers/{work.page}.md')}"
    return [title, *kinds] if kinds else []


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
