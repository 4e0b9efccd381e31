"""card and push: a trained network for others."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

License = Annotated[
    str,
    Parameter(help="A licence as the Hugging Face hub writes it, such as apache-2.0 [none]."),
]


def card(
    run: Path,
    *,
    repo: str = "",
    license: License = "",
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
) -> int:
    """Write the model card of a finished run: Markdown, with what the Hugging Face hub reads in
    front.

    Parameters
    ----------
    run: Path
        The folder of a finished run, or a compressed file (.dc).
    repo: str
        Where it will be: owner/name [left open].
    output: Path
        The file to write [standard output].
    """
    from convatlas.publishing.files import write_new
    from convatlas.publishing.hub import model_card

    text = model_card(run, repo, license)
    if output is None:
        print(text, end="")
    else:
        write_new(output, text.encode())
        print(f"wrote {output}")
    return 0


def push(
    run: Path,
    repo: str,
    *,
    license: License = "",
    private: bool = False,
    message: str = "",
    folder: Path | None = None,
) -> int:
    """Publish a finished run on the Hugging Face hub: weights, description, recipe, model card.

    Parameters
    ----------
    run: Path
        The folder of a finished run, or a compressed file (.dc).
    repo: str
        Where to: owner/name.
    private: bool
        Only its owner may see it, where it is new.
    message: str
        What the commit says.
    folder: Path
        A new folder in which the files are written; nothing is sent.
    """
    from convatlas.publishing.hub import push_to_hub

    where = push_to_hub(run, repo, license=license, private=private, message=message, folder=folder)
    print(f"wrote {where}" if folder else f"published {where}")
    return 0
