"""The generated documents: a page for each paper with its pictures, their contents, errata,
checkpoints, names, results.

Everything comes from the stored index and the ledger of results, so that nothing here needs torch:
`make index` measures, `make docs` writes.
"""

from pathlib import Path

from convatlas.pages.checkpoints import checkpoints
from convatlas.pages.contents import errata, table_of_contents
from convatlas.pages.other_names import other_names
from convatlas.pages.page import page_of
from convatlas.pages.pictures import FOLDER, pictures
from convatlas.pages.results import LEDGER, results
from convatlas.pages.works import all_works

PAPERS = "docs/papers"


def build(ledger: str) -> dict[str, str]:
    """Path from the root of the repository -> text, of every generated document.

    `ledger`: the lines of results/ledger.jsonl. ValueError, with its number, for a line that is no
    record.
    """
    papers = all_works()
    return {f"{PAPERS}/{work.page}.md": page_of(work) for work in papers} | {
        f"{PAPERS}/README.md": table_of_contents(papers),
        "docs/errata.md": errata(papers),
        "docs/checkpoints.md": checkpoints(),
        "docs/names.md": other_names(),
        "docs/results.md": results(ledger),
    }


def drawn() -> dict[str, str]:
    """Path from the root of the repository -> SVG, of every picture on a paper's page."""
    return {f"{PAPERS}/{path}": svg for path, svg in pictures(all_works()).items()}


def write(root: Path) -> list[str]:
    """Renew the documents under `root`, take away pages of papers that are gone, and tell which
    paths changed. FileNotFoundError if `root` has no ledger of results.
    """
    fresh = build((root / LEDGER).read_text(encoding="utf-8")) | drawn()
    papers = root / PAPERS
    (papers / FOLDER).mkdir(parents=True, exist_ok=True)
    there = [*papers.glob("*.md"), *(papers / FOLDER).glob("*.svg")]
    gone = {file.relative_to(root).as_posix() for file in there} - set(fresh)
    changed = [
        path
        for path, text in fresh.items()
        if not (root / path).exists() or (root / path).read_text(encoding="utf-8") != text
    ]
    for path in changed:
        (root / path).write_bytes(fresh[path].encode())
    for path in gone:
        (root / path).unlink()
    return sorted({*changed, *gone})
