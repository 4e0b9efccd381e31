"""A report as LaTeX: tables of booktabs, to be read into a paper with \\input."""

from collections.abc import Iterator

from convatlas.printable import printable
from convatlas.reporting.sections import Report, Section
from convatlas.reporting.spelling import magnitude, plural, points

SPECIAL = {
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': "{''}",
    "'": "{'}",
    "`": "{`}",
    "-": "{-}",
    "[": "{[}",
    "]": "{]}",
    "±": r"$\pm$",
    "\u00d7": r"$\times$",
}
HEAD = (
    "% \\usepackage{booktabs} and, for names that are not in Latin letters, lualatex or xelatex.\n"
    "% Bold: no network of the table is shown to be better.\n"
)


def text(report: Report) -> str:
    """A table for each data set, one below the other."""
    return HEAD + "\n".join("\n".join(_table(section)) + "\n" for section in report.sections)


def plain(given: object) -> str:
    """Text in which no letter commands TeX."""
    return "".join(SPECIAL.get(letter, letter) for letter in printable(str(given)))


def _table(section: Section) -> Iterator[str]:
    yield r"\begin{table}"
    yield r"  \centering"
    pictures = plural(section.pictures, "test picture")
    yield f"  \\caption{{Errors on {plain(section.data)} ({pictures}): mean of the runs, standard"
    yield r"    deviation, and the 95\,\% interval over other seeds and other pictures."
    yield f"    {plain(section.comparison.sentence)}}}"
    yield r"  \begin{tabular}{lrrrrr}"
    yield r"    \toprule"
    yield r"    Network & Error, \% & Interval & Runs & Parameters & Multiply-adds \\"
    yield r"    \midrule"
    beaten = {pair.behind for pair in section.comparison.pairs if pair.better}
    for entry in section.entries:
        found, pictures = entry.summary, section.pictures
        mean = points(found.mean, pictures)
        if entry.name not in beaten and len(section.entries) > 1:
            mean = f"\\textbf{{{mean}}}"
        spread = f" $\\pm$ {points(found.sd, pictures)}" if found.sd == found.sd else ""
        ends = (points(end, pictures) for end in (found.low, found.high))
        within = "--".join(ends) if found.low == found.low else ""
        counts = (magnitude(entry.costs.params), magnitude(entry.costs.macs))
        cells = [plain(entry.name), mean + spread, within, str(len(entry.runs)), *counts]
        yield f"    {' & '.join(cells)} \\\\"
    yield r"    \bottomrule"
    yield r"  \end{tabular}"
    yield r"\end{table}"
