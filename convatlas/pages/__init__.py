"""The generated documents: a page for each paper, their contents, errata, checkpoints, results, the
README's table.

Everything comes from the stored index and the ledger of results, so that nothing here needs torch:
`make index` measures, `make docs` writes.
"""

from pathlib import Path

from convatlas.pages.checkpoints import checkpoints
from convatlas.pages.contents import errata, readme, table_of_contents
from convatlas.pages.page import page_of
from convatlas.pages.results import LEDGER, results
from convatlas.pages.works import all_works


def build(readme_before: str, ledger: str) -> dict[str, str]:
    """Path from the root of the repository -> text, of every generated document; the README keeps
    what is around its table.  `ledger`: the lines of results/ledger.jsonl.  ValueError if the
    README has lost its marks.
    """
    papers = all_works()
    return {f"docs/papers/{work.page}.md": page_of(work) for work in papers} | {
        "docs/papers/README.md": table_of_contents(papers),
        "docs/errata.md": errata(papers),
        "docs/checkpoints.md": checkpoints(),
        "docs/results.md": results(ledger),
        "README.md": readme(readme_before, papers),
    }


def write(root: Path) -> list[str]:
    """Renew the documents under `root`, take away pages of papers that are gone, and tell which
    paths changed. FileNotFoundError if `root` has no README.md or no ledger of results.
    """
    fresh = build(*((root / path).read_text(encoding="utf-8") for path in ("README.md", LEDGER)))
    (root / "docs" / "papers").mkdir(parents=True, exist_ok=True)
    gone = {f"docs/papers/{file.name}" for file in (root / "docs" / "papers").glob("*.md")} - set(
        fresh
    )
    changed = [
        path
        for path, text in fresh.items()
        if not (root / path).exists() or (root / path).read_text(encoding="utf-8") != text
    ]
    for path in changed:
        (root / path).write_text(fresh[path], encoding="utf-8")
    for path in gone:
        (root / path).unlink()
    return sorted({*changed, *gone})
