"""The pages of the networks that run in the page, and the data that they ask for."""

import json
from collections.abc import Callable
from functools import partial
from html import escape

from convatlas import registry
from convatlas.explorer import frame
from convatlas.explorer.frame import word
from convatlas.explorer.live import engine, stored
from convatlas.pages.results import spelled

INDEX = "live/index.html"
STYLES = ("live/live.css",)
SETS = {  # a set -> where its pictures and their licence are from
    "mnist": "MNIST (LeCun, Cortes, Burges)",
    "fashion-mnist": "Fashion-MNIST (Xiao, Rasul, Vollgraf)",
    "sign-digits": "Sign Language Digits (Mavi, Dikle)",
}


def files() -> dict[str, Callable[[], bytes]]:
    found = {INDEX: index, **engine.absent()}
    for name in stored.names():
        found[where(name)] = partial(page, name)
        found[f"data/live/{name}.json"] = partial(data, name)
        found[f"data/live/{name}.safetensors"] = partial(stored.weights, name)
    return found


def where(name: str) -> str:
    return f"live/{name}.html"


def data(name: str) -> bytes:
    return written(stored.about(name), stored.program(name))


def written(about: dict, program: dict) -> bytes:
    """All that a page asks for besides the weights."""
    return json.dumps({"about": about, "program": program}, separators=(",", ":")).encode()


def title(name: str) -> str:
    return f"<h1>{escape(name)} <small>{word('live.title', 'live')}</small></h1>"


def stage(name: str) -> str:
    """Where the network runs whose data are called so."""
    sure = word("live.without", "Without JavaScript the network does not run.")
    return f"<div id=live data-network={name}><p>{sure}</div>"


def page(name: str) -> bytes:
    about = stored.about(name)
    idea = word(f"live.idea.{about['data']}", IDEAS[about["data"]])
    body = f"{title(name)}<p class=idea>{idea}{_facts(name, about)}{stage(name)}{_source(about)}"
    description = f"{name} runs in this page: every map, every value, the scores."
    return frame.page(
        where(name),
        f"{name} live",
        body,
        description=description,
        module="live/page.js",
        styles=STYLES,
    )


IDEAS = {
    "mnist": "Draw a digit: the network reads it here, in this page. Point at any value of any map "
    "to see the window, the weights and the sum that it is made of.",
    "fashion-mnist": "Choose one of ten silhouettes drawn here, or drop a picture of a piece of "
    "clothing: the network reads it here, in this page. Point at any value of any map to see what "
    "it is made of.",
    "sign-digits": "Drop a photograph of a hand that shows a digit: the network reads it here, in "
    "this page. It learnt from photographs; the hands to choose from are mere drawings, which it "
    "may take for another digit. Point at any value of any map to see what it is made of.",
}


def _facts(name: str, about: dict) -> str:
    test, facts = about["test"], registry.describe(name)
    right = 100 * test["correct"] / test["count"]
    network = f'<a href="../networks/{name}.html">{name}</a>'
    pairs = (
        ("row.network", "network", f"{network}, {facts['paper']['year']}"),
        ("live.right", "right, with these weights", f"{right:.2f} %"),
        ("live.of", "test pictures", f"{test['count']:,}"),
        ("live.set", "learnt from", about["data"]),
        ("live.size", "weights, kB", f"{about['bytes'] // 1000:,}"),
    )
    cells = "".join(f"<div><dt>{word(key, text)}<dd>{value}</div>" for key, text, value in pairs)
    return f"<dl class=facts>{cells}</dl>"


def _source(about: dict) -> str:
    """By what it was trained, and whose pictures it has seen."""
    recipe = about["recipe"]
    named = recipe if isinstance(recipe, str) else recipe.get("recipe", "")
    changes = (
        ""
        if isinstance(recipe, str)
        else ", ".join(f"{key} {value}" for key, value in recipe.items() if key != "recipe")
    )
    told = " ".join(filter(None, (named, f"({changes})" if changes else "")))
    return (
        f"<h2>{word('live.source', 'Where the weights come from')}</h2><p>"
        f"{word('live.recipe', 'Recipe:')} <code>{escape(told)}</code>, "
        f"{word('live.seed', 'seed')} {about['seed']}, {word('live.commit', 'commit')} "
        f"<code>{about['commit']}</code>. {word('live.pictures', 'Pictures:')} "
        f"{escape(SETS[about['data']])}, {about['licence']}. "
        f"{_row_of_ledger(about)}"
        f"{word('live.licence', 'Weights: Apache-2.0, as the program; 16 bits a weight.')}"
    )


def _row_of_ledger(about: dict) -> str:
    """What the ledger says of the recipe over several seeds, of which these weights are one."""
    row = about.get("ledger")
    if row is None:  # a network of one's own, measured once
        return ""
    paper = row["paper"]
    printed = (
        f"; {word('live.printed', 'the paper printed')} {paper['error']} % "
        f"({escape(paper['source'])})"
        if paper
        else ""
    )
    return (
        f"{word('live.ledger', 'In the ledger of results: test error')} {spelled(row['error'])} % "
        f"({word('live.seeds', 'seeds:')} {len(row['seeds'])}){printed}. "
    )


def index() -> bytes:
    rows = "".join(map(_row, sorted(stored.names(), key=_year)))
    body = (
        f"<h1>{word('live.all', 'Networks that run in the page')}</h1>"
        f"<p class=idea>{word('live.why', WHY)}"
        "<div class=scroll><table class=list><thead><tr>"
        f"<th scope=col>{word('row.network', 'network')}"
        f"<th scope=col>{word('live.year', 'year')}"
        f"<th scope=col>{word('live.set', 'learnt from')}"
        f"<th scope=col>{word('live.right', 'right, with these weights')}"
        f"<th scope=col>{word('live.size', 'weights, kB')}</thead><tbody>{rows}</table></div>"
    )
    return frame.page(INDEX, "Live", body, description=WHY, styles=STYLES)


WHY = (
    "Small networks, trained with the recipes of the atlas, that run in your browser: nothing that "
    "you draw or drop leaves it."
)


def _year(name: str) -> tuple[int, str]:
    return registry.describe(name)["paper"]["year"], name


def _row(name: str) -> str:
    about = stored.about(name)
    right = 100 * about["test"]["correct"] / about["test"]["count"]
    return (
        f'<tr><th scope=row><a href="{name}.html">{name}</a><td>{_year(name)[0]}'
        f"<td>{about['data']}<td>{right:.2f} %<td>{about['bytes'] // 1000:,}"
    )
