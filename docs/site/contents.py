"""Zensical's settings: the order of the documents, and nothing that a page would ask elsewhere."""

import re
from posixpath import normpath

import tomli_w

ITEM = re.compile(r"^- \[([^\]]+)\]\(([^)#]+\.md)\)", re.MULTILINE)
INDEX = "docs/README.md"


def settings(files: dict[str, bytes]) -> str:
    """The text of zensical.toml. `files`: what is staged, path -> bytes."""
    return tomli_w.dumps(
        {
            "project": {
                "site_name": "convatlas",
                "site_description": "The atlas of the classic convolutional networks, each exactly "
                "as its paper printed it.",
                "docs_dir": "tree",
                "site_dir": "out",
                "use_directory_urls": False,
                "nav": [
                    {"convatlas": "README.md"},
                    {"Atlas": "atlas/index.html"},
                    {"Documents": INDEX},
                    *sections(files[INDEX].decode()),
                ],
                "theme": {
                    "font": False,
                    "language": "en",
                    "features": ["navigation.top", "toc.follow", "search.highlight"],
                    "palette": [
                        {"media": f"(prefers-color-scheme: {kind})", "scheme": scheme}
                        for kind, scheme in (("light", "default"), ("dark", "slate"))
                    ],
                },
                "extra": {"generator": False},
                "markdown_extensions": {
                    "tables": {},
                    "attr_list": {},
                    "md_in_html": {},
                    "toc": {"permalink": True},
                    "pymdownx": {
                        "highlight": {"anchor_linenums": True},
                        "superfences": {},
                        "inlinehilite": {},
                    },
                },
            }
        }
    )


def sections(index: str) -> list[dict]:
    """The lists of docs/README.md as Zensical's navigation: "To train:" -> its links."""
    found = []
    for heading, items in re.findall(r"^([^\n-][^\n]*):\n\n((?:- .*\n(?:  .*\n)*)+)", index, re.M):
        pages = [{name: normpath(f"docs/{path}")} for name, path in ITEM.findall(items)]
        found.append({heading.partition(",")[0]: pages})
    return found
