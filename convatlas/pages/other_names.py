"""The page that says what names and flags of other libraries are here."""

from collections.abc import Iterable

from convatlas.elsewhere import flags, networks
from convatlas.pages.markdown import code, document, link, paragraph, table

LIBRARIES = {
    "torchvision": "torchvision's classification models, those of the classic families",
    "timm": "timm's models of the classic families (1.0). A tag after the name, as in "
    "`resnet50.a1_in1k`, says how it was trained",
    "akamaster": "github.com/akamaster/pytorch_resnet_cifar10",
}


def other_names() -> str:
    tables = networks.tables()
    count = sum(map(len, tables.values()))
    return document(
        "# Names and flags of other libraries",
        paragraph(
            f"What {count} models of other libraries are here. Where the last column is empty the "
            "graph is the same, and checkpoints load both ways "
            f"({link('checkpoints', 'checkpoints.md')}); else the network named is the nearest, "
            "and the column says what theirs does otherwise; "
            f"{link('near misses', 'near_misses.md')} says which of these were proved. `convatlas "
            "show NAME` answers the same."
        ),
        "Written by `make docs` from convatlas/elsewhere; do not edit.",
        *(
            block
            for library, about in LIBRARIES.items()
            for block in (f"## {library}", f"{about}.", _models(tables[library].values()))
        ),
        "## What is said",
        table(
            {"said": "left", "here": "left", "besides": "left"},
            [(code(said), code(ours), more) for said, (ours, more) in networks.SPOKEN.items()],
        ),
        "## Families that are not here",
        paragraph(", ".join(word.rstrip("_") for word in networks.ABSENT.split()) + "."),
        *_flags(),
    )


def _models(found: Iterable[networks.Meaning]) -> str:
    return table(
        {"theirs": "left", "here": "left", "theirs differs: it …": "left"},
        [(code(one.theirs), code(one.ours), one.differs) for one in found],
    )


def _flags() -> tuple[str, ...]:
    return (
        "## Flags that are understood",
        "They mean exactly what ours mean. `_` for `-` is understood too.",
        table(
            {"typed": "left", "is": "left"},
            [(code(typed), code(ours)) for typed, ours in flags.SAME.items()],
        ),
        "## Flags that are answered",
        "With the sentence beside them, for they mean something else, or nothing here.",
        _sentences(flags.ANSWERS),
        "After `convatlas eval` and `convatlas predict`, which use a finished run:",
        _sentences(flags.OF_A_RUN),
        "## Spelled as ours, with another meaning there",
        table(
            {"ours": "left", "who": "left", "means there": "left"},
            [(code(flag), who, means) for flag, (who, means) in flags.ALIKE.items()],
        ),
    )


def _sentences(answers) -> str:
    """One row for all flags with the same sentence."""
    groups: dict[str, list[str]] = {}
    for typed, answer in answers.items():
        groups.setdefault(answer, []).append(code(typed))
    return table(
        {"typed": "left", "answer": "left"},
        [(" ".join(typed), answer) for answer, typed in groups.items()],
    )
