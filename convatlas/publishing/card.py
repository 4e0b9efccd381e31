"""The model card of a trained network: README.md of its place on the Hugging Face hub.

Names of classes, data and machines were chosen by others: they stand in code, on one line, where
they mean nothing to Markdown.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from convatlas.printable import printable
from convatlas.publishing.facts import Facts
from convatlas.publishing.front_matter import front_matter
from convatlas.publishing.ledger import row_of
from convatlas.registry import stored_facts

TASK = {"type": "image-classification", "name": "Image classification"}
ON_THE_HUB = {  # named data sets, by what they are called there
    "mnist": "ylecun/mnist",
    "fashion-mnist": "zalando-datasets/fashion_mnist",
    "cifar10": "uoft-cs/cifar10",
    "cifar100": "uoft-cs/cifar100",
    "svhn": "ufldl-stanford/svhn",
}
FEW = 40  # classes that are named one by one
MACHINE = ("device", "system", "cores", "threads", "processes")
VERSIONS = ("convatlas", "commit", "python", "torch", "torchvision")
PLACE = "OWNER/NAME"  # of a card that is written before its place is known


def card(facts: Facts, repo: str = "", license: str = "") -> str:
    """The text of README.md, with YAML in front. `license` is a word of the hub's, such as
    apache-2.0; without one the card says that none was given.
    """
    return front_matter(_head(facts, license)) + "\n" + _body(facts, repo or PLACE, license)


def _head(facts: Facts, license: str) -> dict[str, Any]:
    network, data = facts.saved.network, _data(facts)
    there = ON_THE_HUB.get(data, "")
    return {
        "library_name": "convatlas",
        "pipeline_tag": "image-classification",
        "license": license,
        "tags": ["image-classification", "convatlas", "pytorch", network, *_family(network)],
        "datasets": [there] if there else [],
        "metrics": ["accuracy"] if facts.test else [],
        "model-index": (
            [{"name": network, "results": [_result(facts, there or data, data)]}]
            if facts.test
            else []
        ),
    }


def _family(network: str) -> list[str]:
    family = stored_facts()[network]["family"]
    return [family] if family != network else []


def _result(facts: Facts, kind: str, data: str) -> dict[str, Any]:
    metrics = [("accuracy", "accuracy", "Accuracy")]
    if _top5_tells(facts):
        metrics.append(("top_5_accuracy", "top5", "Top-5 accuracy"))
    return {
        "task": TASK,
        "dataset": {"type": kind, "name": data, "split": "test"},
        "metrics": [
            {"type": metric, "value": facts.test[share], "name": name}
            for metric, share, name in metrics
        ],
    }


def _top5_tells(facts: Facts) -> bool:
    """Of five classes, five guesses are always right."""
    return len(facts.saved.classes) > 5


def _data(facts: Facts) -> str:
    data = facts.saved.provenance.get("data")
    return printable(data) if isinstance(data, str) and data else "unknown"


def _body(facts: Facts, repo: str, license: str) -> str:
    blocks = [
        _title(facts),
        *("## Use", _use(facts, repo)),
        *("## How good it is", *_measured(facts)),
        *("## What it is for", _purpose(facts)),
        *("## What it cannot do", _limits(facts)),
        *("## How it was trained", *_training(facts)),
        *("## Licence", _licence(license)),
    ]
    return "\n\n".join(blocks) + "\n"


def _title(facts: Facts) -> str:
    about = stored_facts()[facts.saved.network]
    paper = about["paper"]
    arxiv = (
        f" [arXiv:{paper['arxiv']}](https://arxiv.org/abs/{paper['arxiv']})."
        if paper["arxiv"]
        else ""
    )
    held = sum(p.numel() for p in facts.saved.net.parameters())
    return (
        f"# {facts.saved.network}, trained on {_code(_data(facts))}\n\n"
        f"The network `{facts.saved.network}` of *{paper['title']}* ({paper['authors']}, "
        f"{paper['year']}).{arxiv} {held:,} parameters. Made with convatlas; `convatlas show "
        f"{facts.saved.network}` tells its layers, and whether they are the paper's."
    )


def _use(facts: Facts, repo: str) -> str:
    network, count = facts.saved.network, len(facts.saved.classes)
    lines = [
        "import convatlas",
        "",
        f'saved = convatlas.from_pretrained("{repo}")',
        'print(saved("photo.jpg")[0].classes)  # prepared as in training',
    ]
    if not facts.saved.widths:
        lines.append(
            f'net = convatlas.create_model("{network}", num_classes={count}, weights="hub:{repo}")'
        )
    code = "\n".join(lines)
    return f'    pip install "convatlas[hub]"\n\n```python\n{code}\n```'


def _measured(facts: Facts) -> Iterator[str]:
    if not facts.test:
        yield "No result on test pictures is known of these weights."
    else:
        test, count = facts.test, facts.test["count"]
        rows = {
            "test accuracy": _percent(test["accuracy"]),
            **({"top-5 accuracy": _percent(test["top5"])} if _top5_tells(facts) else {}),
            "calibration error": _percent(test["calibration_error"]),
            "test pictures": f"{count:,}",
        }
        if facts.validation:
            rows["validation accuracy"] = _percent(facts.validation["accuracy"])
            rows["validation pictures"] = f"{facts.validation['images']:,}"
        yield _table(rows)
        yield (
            f"The test pictures of {_code(_data(facts))} were looked at once, after training. This "
            "is one run of one seed: how far another seed would differ, it does not say."
        )
    if facts.at_chance:
        yield _code(facts.at_chance)
    if row := row_of(facts.saved.network, facts.saved.provenance.get("fingerprint")):
        yield row


def _purpose(facts: Facts) -> str:
    classes, prep = facts.saved.classes, facts.saved.preprocess
    named = ", ".join(map(_code, classes[:FEW]))
    more = f" and {len(classes) - FEW:,} more (model.json names them)" if classes[FEW:] else ""
    kind = "grey" if prep.channels == 1 else "colour"
    return (
        f"It tells which of {len(classes):,} classes a picture shows: {named}{more}. It reads "
        f"{kind} pictures, brought to {prep.side}x{prep.side} pixels. It suits pictures of the "
        "kind that it was trained on, for study, as a baseline and to begin training from."
    )


def _limits(facts: Facts) -> str:
    return (
        "It names one of its classes for every picture, also for one that shows none of them. Its "
        "accuracy on pictures from another source was not measured, nor whether it treats groups "
        "of people alike; do not let it decide about anybody. A probability that it gives is only "
        "as right as the calibration error says."
    )


def _training(facts: Facts) -> Iterator[str]:
    origin = facts.saved.provenance
    rows = {
        "data": _code(_data(facts)),
        "fingerprint of the data": _told(origin.get("fingerprint")),
        "seed": _told(origin.get("seed")),
        "epoch that was kept": _told(origin.get("epoch")),
        "seconds": "" if facts.seconds is None else f"{facts.seconds:,.0f}",
        "run": _told(origin.get("run")),
        **{name: _told(origin.get(name)) for name in (*VERSIONS, *MACHINE)},
    }
    yield _table({name: value for name, value in rows.items() if value})
    start = origin.get("started_from")
    if isinstance(start, Mapping):
        weights, kind = _told(start.get("weights")), _told(start.get("kind"))
        yield f"It began with the weights {weights} ({kind})."
    if isinstance(origin.get("recipe"), Mapping):
        yield (
            "`recipe.toml` beside this file is the whole recipe; `convatlas train --recipe "
            "recipe.toml --data DATA` repeats the run."
        )


def _licence(license: str) -> str:
    if license:
        return f"The weights are published under {_code(license)}."
    return "None was given. Ask whoever published the weights before you use them."


def _table(rows: Mapping[str, str]) -> str:
    lines = [f"| {name} | {value} |" for name, value in rows.items()]
    return "\n".join(["| | |", "|---|---|", *lines])


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _told(value: object) -> str:
    """A value of a run's provenance, where it is a word or a number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float) or value == "":
        return ""
    return _code(value)


def _code(value: object) -> str:
    """One line of code, in which Markdown, HTML and a table see nothing of theirs."""
    text = printable(str(value)).replace("`", "'").replace("|", "\\|")
    return f"`{text}`" if text.strip() else "` `"
