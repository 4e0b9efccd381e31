"""The frame of every page: head, bar, main, foot."""

from html import escape

LANGUAGES = ("en", "zh")
BAR = (  # path, key of the word, the word
    ("index.html", "bar.networks", "Networks"),
    ("tree.html", "bar.tree", "Family tree"),
    ("chart.html", "bar.chart", "Accuracy and cost"),
    ("diff.html", "bar.diff", "Compare"),
    ("live/index.html", "bar.live", "Live"),
    ("tours/index.html", "bar.tours", "Tours"),
)
SITE = "convatlas"


def page(
    path: str,
    title: str,
    body: str,
    *,
    description: str = "",
    module: str = "",
    styles: tuple[str, ...] = (),
    language: str = "en",
) -> bytes:
    """A whole page as UTF-8.

    path: where it stands in the site, such as "networks/resnet50.html"; body: the HTML of <main>;
    module: of static/, exports `mount(main, address)`; styles: of static/, beside atlas.css.
    """
    root = up(path)
    heads = [
        f"<title>{escape(title)} · {SITE}</title>" if title != SITE else f"<title>{SITE}</title>",
        f'<meta name=description content="{escape(description)}">' if description else "",
        *(f'<link rel=stylesheet href="{root}static/{name}">' for name in ("atlas.css", *styles)),
        f'<link rel=icon href="{root}static/icon.svg">',
        f'<script type=module src="{root}static/atlas.js"></script>',
    ]
    named = f' data-module="{module}"' if module else ""
    return (
        f'<!doctype html><html lang={language} data-root="{root}">'
        "<head><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width,initial-scale=1">'
        f"{''.join(heads)}</head><body>{_bar(path)}<main id=main{named}>{body}</main></html>\n"
    ).encode()


def up(path: str) -> str:
    """From a page to the site's root: "" or "../"s."""
    return "../" * path.count("/")


def word(key: str, text: str) -> str:
    """A word of the interface, which the page exchanges for the chosen language's."""
    return f"<span data-word={key}>{escape(text, quote=False)}</span>"


def _bar(path: str) -> str:
    root = up(path)
    here = path if path.count("/") == 0 else f"{path.split('/')[0]}/index.html"
    links = "".join(
        f'<a href="{root}{target}" data-word={key}{" aria-current=page" if target == here else ""}>'
        f"{text}</a>"
        for target, key, text in BAR
    )
    return (
        f'<a class=skip href="#main" data-word=bar.skip>Skip to the content</a>'
        f'<header class=bar><a class=home href="{root}index.html">conv<b>atlas</b></a>'
        f"<nav>{links}</nav></header>"
    )
