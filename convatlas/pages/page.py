"""The page of one paper."""

import re

from convatlas import registry
from convatlas.anatomy import Layer, fold
from convatlas.anatomy.table import by
from convatlas.costing import cost
from convatlas.pages import pictures, printed
from convatlas.pages.markdown import code, document, item, link, paragraph, picture, plain, table
from convatlas.pages.names import explained
from convatlas.pages.works import Record, Work

SECTIONS = {  # field of the record -> heading
    "silent": "What it leaves open",
    "departs": "Departures",
    "elsewhere": "Who departs where",
    "recipe": "Its recipe",
    "results": "Its printed results",
}
SUFFIXED = re.compile(r"\b[a-z0-9]+(?:_[a-z0-9]+)+\b")


def page_of(work: Work) -> str:
    files = ", ".join(file(family, "../../") for family in work.families)
    return document(
        f"# {plain(work.paper['title'])}",
        _citation(work),
        *_notes(work, "introduced"),
        paragraph(f"In this atlas: {files}; {code(f'convatlas show {work.bare}')}."),
        "## Networks",
        _networks(work),
        _suffixes(work),
        *printed.sections(work),
        *(block for record in work.records for block in _layers(record)),
        paragraph(
            "Units that read alike share a line. dw: depthwise; g: groups; /2: stride; share: of "
            "the multiply-adds; receptive field: the side, in pixels, of what one output sees. "
            f"{code(f'convatlas cost {work.bare}')} has the shares by stage and by kind of layer."
        ),
        *(block for key, heading in SECTIONS.items() for block in _section(work, key, heading)),
        "---",
        f"Written by `make docs` from the index; do not edit. {link('All papers', 'README.md')}, "
        f"{link('all errata', '../errata.md')}.",
    )


def file(family: str, root: str) -> str:
    return link(code(f"{family}.py"), f"{root}convatlas/nets/{family}.py")


def citation(paper: dict) -> str:
    """ "CVPR 2016" """
    return f"{paper['venue']} {paper['year']}".strip()


def _citation(work: Work) -> str:
    papers = [record.paper for record in work.records]
    where = "; ".join(dict.fromkeys(map(citation, papers)))
    arxiv = work.paper["arxiv"] and link(
        f"arXiv:{work.paper['arxiv']}", f"https://arxiv.org/abs/{work.paper['arxiv']}"
    )
    codes = "; ".join(
        dict.fromkeys(printed.release(paper["code"]) for paper in papers if paper["code"])
    )
    parts = filter(None, (plain(work.paper["authors"]), where, arxiv, codes and f"Code: {codes}"))
    return paragraph(". ".join(parts) + ".")


def _networks(work: Work) -> str:
    return table(
        {
            "network": "left",
            "parameters": "right",
            "multiply-adds": "right",
            "layers": "right",
            "input": "right",
        },
        [
            (
                code(name),
                params(facts),
                f"{facts['macs']:,}",
                facts["depth"],
                by(facts["input_size"]),
            )
            for name, facts in work.networks.items()
        ],
    )


def params(facts: dict) -> str:
    heads = f" ({facts['idle']:,} in heads that only train)" if facts["idle"] else ""
    return f"{facts['params']:,}{heads}"


def _suffixes(work: Work) -> str:
    return "\n".join(
        item(f"{code(suffix)}: {meaning}") for suffix, meaning in explained(list(work.networks))
    )


def _layers(record: Record) -> list[str]:
    facts = registry.describe(record.bare)
    layers = facts["layers"]
    rows = [
        (
            code(line.name) if not line.indent else f"&emsp;{code(line.name)}",
            f"x{line.repeats}" if line.repeats > 1 else "",
            line.made_of,
            by(line.output),
            f"{line.params:,}" if line.params else "",
            f"{line.macs:,}" if line.macs else "",
            f"{100 * line.macs / facts['macs']:.1f} %" if line.macs else "",
            line.receptive_field or "",
        )
        for line in fold(map(Layer.from_row, layers["rows"]), layers["ends"])
    ]
    head = {
        "layer": "left",
        "": "left",
        "made of": "left",
        "output": "right",
        "parameters": "right",
        "multiply-adds": "right",
        "share": "right",
        "receptive field": "right",
    }
    return [
        f"## The layers of {code(record.bare)}",
        picture(f"The stages of {record.bare}", pictures.path(record.bare)),
        paragraph(plain(cost(record.bare).words)),
        table(head, rows),
    ]


def _section(work: Work, key: str, heading: str) -> list[str]:
    blocks = _notes(work, key)
    return [f"## {heading}", *blocks] if blocks else []


def _notes(work: Work, key: str) -> list[str]:
    """A paragraph; where the records of several files differ, one for each, with its file."""
    said: dict[str, list[str]] = {}
    for record in work.records:
        if record.paper[key]:
            said.setdefault(record.paper[key], []).append(record.family)
    if len(said) <= 1 and set().union(*said.values(), ()) in (
        {work.records[0].family},
        set(work.families),
        set(),
    ):
        return [paragraph(_linked(text, work)) for text in said]
    return [
        "\n".join(
            item(f"{', '.join(code(f'{family}.py') for family in files)}: {_linked(text, work)}")
            for text, files in said.items()
        )
    ]


def _linked(text: str, work: Work) -> str:
    """Prose in which names with a suffix lead to their pages."""

    def led(name: re.Match) -> str:
        facts = registry.stored_facts().get(name[0])
        if not facts:
            return name[0]
        target = facts["paper"]["page"]
        return code(name[0]) if target == work.page else link(code(name[0]), f"{target}.md")

    return SUFFIXED.sub(led, plain(text))
