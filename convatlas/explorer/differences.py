"""The page that compares any two networks, and the walks that it compares: data/walks/NAME.json,
whose operations with their settings stand once for all networks in data/walks/words.json.
"""

import json
from collections.abc import Callable
from functools import cache, partial
from html import escape

from convatlas import registry, stored_walks
from convatlas.explorer import frame
from convatlas.explorer.frame import word

PAGE = "diff.html"
WORDS = "data/walks/words.json"
PAIRS = (  # what a reader may try first
    ("vgg16", "resnet18"),
    ("resnet50", "resnet50_v15"),
    ("resnet50", "se_resnet50"),
    ("resnet50", "resnext50_32x4d"),
    ("inception_v3", "inception_v4"),
    ("mobilenet_v1", "mobilenet_v2"),
    ("mobilenet_v2", "mobilenet_v3_large"),
    ("shufflenet_v1_g3", "shufflenet_v2"),
    ("alexnet", "alexnet_owt"),
    ("densenet121", "densenet121_checkpointed"),
)


def files() -> dict[str, Callable[[], bytes]]:
    walks = {
        f"data/walks/{name}.json": partial(_walk, name)
        for name in registry.stored_facts()
        if stored_walks.holds(name)
    }
    return {PAGE: page, WORDS: _all_words, **walks}


def page() -> bytes:
    known = registry.stored_facts()
    links = "".join(
        f'<li><a href="{PAGE}?a={a}&amp;b={b}">{escape(a)} → {escape(b)}</a>'
        for a, b in PAIRS
        if a in known and b in known
    )
    body = (
        f"<h1>{word('diff.title', 'What sets two networks apart')}</h1>"
        f"<p class=idea>{word('diff.what', WHAT)}"
        "<div id=difference></div>"
        f"<section><h2>{word('diff.some', 'Steps of thirty years')}</h2><ul>{links}</ul></section>"
        f"<noscript><p>{NOSCRIPT}</noscript>"
    )
    return frame.page(
        PAGE,
        "What sets two networks apart",
        body,
        description="Any two networks of the atlas, layer by layer: only what differs, with what "
        "each step costs.",
        module="diff/page.js",
        styles=("diff/diff.css",),
    )


WHAT = (
    "Any two networks, layer by layer: only what differs, each with what it costs in parameters "
    "and multiply-adds."
)
NOSCRIPT = (
    "The comparison runs in the browser and needs JavaScript; "
    "<code>convatlas diff A B</code> says the same in a terminal."
)


def _walk(name: str) -> bytes:
    """A record whose words are places in the list of all words."""
    places = _places()
    record = stored_walks.record(name)
    record["words"] = [places[_compact(each)] for each in record["words"]]
    return _compact(record).encode()


def _all_words() -> bytes:
    return f"[{','.join(_places())}]".encode()


@cache
def _places() -> dict[str, int]:
    found = {
        _compact(each)
        for name in registry.stored_facts()
        if stored_walks.holds(name)
        for each in stored_walks.record(name)["words"]
    }
    return {each: place for place, each in enumerate(sorted(found))}


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
