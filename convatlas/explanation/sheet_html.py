"""A contact sheet as one HTML file that holds its pictures, and asks for nothing from anywhere."""

import base64
from html import escape

from convatlas.explanation.colours import png_bytes
from convatlas.explanation.sheets import Panel, Row, Sheet
from convatlas.printable import printable

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
STYLE = """
:root { color-scheme: light dark; --ground: #fdfdfb; --ink: #1d232b; --faint: #59636f;
  --line: #dfe3e8; --bar: #1f5f8b }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14181d; --ink: #e6e9ed; --faint: #a2abb6; --line: #2d343d; --bar: #6fb1dd } }
body { margin: 0 auto; max-width: 72rem; padding: 2rem 1rem 4rem; background: var(--ground);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .4rem }
h2 { font-size: 1rem; margin: 0 0 .6rem; overflow-wrap: anywhere }
p { margin: .1rem 0; color: var(--faint); max-width: 46rem }
section { border-top: 1px solid var(--line); margin-top: 1.5rem; padding-top: 1rem }
.row { display: flex; flex-wrap: wrap; gap: 1.2rem; align-items: flex-start }
figure { margin: 0; width: 13rem; max-width: 100% }
figure.wide { width: 27.2rem }
figure img { width: 100%; height: auto; display: block; border-radius: 3px }
.pixels { image-rendering: pixelated }
figcaption { font-size: .85rem; color: var(--faint); margin-top: .3rem; overflow-wrap: anywhere }
figcaption span { display: block }
ul { list-style: none; margin: 0; padding: 0; width: 13rem; max-width: 100%; font-size: .9rem }
li { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 .5rem;
  margin-bottom: .35rem; overflow-wrap: anywhere }
li b { font-weight: normal; font-variant-numeric: tabular-nums; white-space: nowrap }
li i { flex-basis: 100%; height: .5rem; border-radius: 2px;
  background: linear-gradient(to right, var(--bar) var(--share), var(--line) var(--share)) }
@media (max-width: 30rem) { figure, ul { width: calc(50% - .6rem) } figure.wide { width: 100% } }
@media print { section { break-inside: avoid } li i { print-color-adjust: exact } }
"""


def sheet_html(sheet: Sheet) -> str:
    """The whole page. Names of files and classes are escaped, whatever is in them."""
    notes = "".join(f"<p>{_text(note)}</p>" for note in sheet.notes)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(sheet.title)}</title><style>{STYLE}</style></head>\n<body><main>\n"
        f"<h1>{_text(sheet.title)}</h1>{notes}\n{''.join(map(_row, sheet.rows))}</main></body>"
        "</html>\n"
    )


def _row(row: Row) -> str:
    panels = "".join(_figure(row, panel) for panel in row.panels)
    return (
        f'<section><h2>{_text(row.title)}</h2><div class="row">{panels}{_bars(row)}</div>'
        "</section>\n"
    )


def _figure(row: Row, panel: Panel) -> str:
    height, width = panel.picture.shape[:2]
    data = base64.b64encode(png_bytes(panel.picture)).decode()
    said = "; ".join((row.title, *panel.lines))
    classes = ["wide"] if max(height, width) > 512 else []
    kind = f' class="{" ".join(classes)}"' if classes else ""
    crisp = ' class="pixels"' if min(height, width) < 128 else ""
    lines = "".join(f"<span>{_text(line)}</span>" for line in panel.lines)
    return (
        f'<figure{kind}><img{crisp} width="{width}" height="{height}" alt="{_text(said)}" '
        f'src="data:image/png;base64,{data}"><figcaption>{lines}</figcaption></figure>'
    )


def _bars(row: Row) -> str:
    if not row.bars:
        return ""
    lines = "".join(
        f"<li><span>{_text(name)}</span> <b>{100 * share:.1f} %</b>"
        f'<i style="--share: {100 * share:.1f}%"></i></li>'
        for name, share in row.bars
    )
    return f"<ul>{lines}</ul>"


def _text(text: str) -> str:
    return escape(printable(text), quote=True)
