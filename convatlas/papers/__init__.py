"""What is told of a paper beside its network: the idea, who builds it otherwise, its recipe, its
results.

One TOML file a page of docs/papers/. A network file that shares the page of another has its own
table in it, under the file's name. What a reader needs beside the code (what the paper leaves open,
where the code departs) stands in nets/.
"""

import tomllib
from importlib import resources

FIELDS = {
    "introduced": "the idea, in one sentence",
    "elsewhere": "whose network of that name is another one: libraries, copies, tutorials",
    "recipe": "how it was trained, as printed; what is not printed is said so",
    "results": "the errors that the paper prints",
}


def notes(page: str, family: str) -> dict[str, str]:
    """FIELDS -> text, "" where there is none, for the network file `family` on the page `page`.

    Raises ValueError, naming the file, for a word that is not in FIELDS.
    """
    file = resources.files("convatlas") / "papers" / f"{page}.toml"
    written = tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    own = written.get(
        family, {name: text for name, text in written.items() if isinstance(text, str)}
    )
    if unknown := own.keys() - FIELDS.keys():
        raise ValueError(
            f"papers/{page}.toml: {', '.join(sorted(unknown))} is not one of {', '.join(FIELDS)}"
        )
    return {name: own.get(name, "").strip() for name in FIELDS}
