"""The page of a finished run: how it went, what it mistakes, its network. Only served, never built
into a site.
"""

from collections.abc import Callable
from functools import partial
from html import escape
from pathlib import Path

from convatlas import strict_json
from convatlas.errors import RunError
from convatlas.explorer import frame
from convatlas.explorer.frame import word
from convatlas.explorer.live import of_run
from convatlas.model_description import read_description
from convatlas.registry import stored_facts
from convatlas.regular_file import read_regular

WHERE = "run/index.html"
LARGEST = 64_000_000  # bytes that are read of any file of a run
SANE = 1e39  # below what any figure of a run can be: all are float32, or counts
PICTURES = {
    "curves.png": ("run.curves", "How it went"),
    "confusion.png": ("run.confusion", "What it mistakes"),
}
COLUMNS = ("epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "lr", "seconds")


def files(folder: Path) -> dict[str, Callable[[], bytes]]:
    """The pages of one run.  ModelFileError for a folder that holds none, RunError for one without
    weights.
    """
    about = read_description(folder / "model.json")
    if not (folder / "model.safetensors").is_file():
        raise RunError(
            f"{folder} has no weights (model.safetensors); give the folder of a finished run, or "
            f"finish this one: convatlas train --output {folder} --resume"
        )
    found = {
        f"run/{name}": partial(read_regular, folder / name, LARGEST)
        for name in PICTURES
        if (folder / name).is_file()
    }
    alive = of_run.files(folder, about, str(_json(folder / "metrics.json").get("data")))
    return found | alive | {WHERE: partial(page, folder, about.network, bool(alive))}


def page(folder: Path, network: str, is_alive: bool = False) -> bytes:
    metrics = _json(folder / "metrics.json")
    epochs = _lines(folder / "log.jsonl")
    pictures = "".join(_picture(name) for name in PICTURES if (folder / name).is_file())
    body = (
        f"<h1>{escape(folder.name)}</h1>{_facts(metrics, network)}{_alive() if is_alive else ''}"
        f"<div class=pictures>{pictures}</div>{_epochs(epochs)}{_recipe(folder / 'recipe.toml')}"
    )
    return frame.page(WHERE, folder.name, body, module="papers.js")


def _alive() -> str:
    told = word("run.live", "The network of this run, live: it reads pictures of yours")
    return f'<p><a href="../{of_run.WHERE}">{told}</a>'


def _facts(metrics: dict, network: str) -> str:
    known = network in stored_facts()
    named = f'<a href="../networks/{network}.html">{network}</a>' if known else escape(network)
    test, validation = _object(metrics, "test"), _object(metrics, "validation")
    pairs = (
        ("row.network", "network", named),
        ("run.test", "test accuracy", _percent(test.get("accuracy"))),
        ("run.images", "test pictures", _number(test.get("count"))),
        ("run.validation", "validation accuracy", _percent(validation.get("accuracy"))),
        ("run.epochs", "epochs", _number(metrics.get("epochs"))),
        ("run.seconds", "seconds", _number(metrics.get("seconds"))),
    )
    cells = "".join(
        f"<div><dt>{word(key, text)}<dd>{value}</div>" for key, text, value in pairs if value
    )
    return f"<dl class=facts>{cells}</dl>"


def _object(metrics: dict, name: str) -> dict:
    found = metrics.get(name)
    return found if isinstance(found, dict) else {}


def _is_sane(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) < SANE


def _percent(share: object) -> str:
    return f"{100 * share:.2f} %" if _is_sane(share) else ""


def _number(value: object) -> str:
    return f"{value:,}" if _is_sane(value) else ""


def _picture(name: str) -> str:
    key, text = PICTURES[name]
    caption = f"<figcaption>{word(key, text)}</figcaption>"
    return f'<figure><img src="{name}" alt="{text}">{caption}</figure>'


def _epochs(lines: list[dict]) -> str:
    shown = [column for column in COLUMNS if any(column in line for line in lines)]
    head = "".join(f"<th scope=col>{column.replace('_', ' ')}" for column in shown)
    rows = "".join("<tr>" + "".join(f"<td>{_short(line.get(c))}" for c in shown) for line in lines)
    return (
        f"<details><summary>{word('run.log', 'Every epoch')}</summary><div class=scroll tabindex=0 "
        f"role=group aria-label=log><table class=list><thead><tr>{head}<tbody>{rows}</table></div>"
        "</details>"
        if lines
        else ""
    )


def _short(value: object) -> str:
    return f"{value:.5g}" if _is_sane(value) else ""


def _recipe(file: Path) -> str:
    if not file.is_file():
        return ""
    text = read_regular(file, LARGEST).decode("utf-8", "replace")
    return (
        f"<details><summary>{word('run.recipe', 'Its recipe')}</summary><pre>{escape(text)}</pre>"
        "</details>"
    )


def _json(file: Path) -> dict:
    """An object; empty where there is none, or none that can be read."""
    try:
        found = strict_json.loads(read_regular(file, LARGEST))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _lines(file: Path) -> list[dict]:
    """The epochs that can be read: a run that is watched writes its last line just now."""
    try:
        lines = read_regular(file, LARGEST).splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            epoch = strict_json.loads(line)
        except ValueError:
            continue
        found += [epoch] if isinstance(epoch, dict) else []
    return found
