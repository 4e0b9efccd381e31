"""A contact sheet as a PNG file."""

from convatlas.errors import InputError
from convatlas.explanation.sheets import Panel, Row, Sheet
from convatlas.plotting.lettering import lettering
from convatlas.plotting.quiet import drawing, new_figure, png, write_name

CELL = 2.35  # inches
WORDS = 0.62  # inches above and below a picture
MOST_ROWS = 100
LONGEST = 46  # columns of a row's title
UNDER = 34  # columns under a picture
NOTE = 110  # columns of a note
BAR = "#1f5f8b"


def sheet_png(sheet: Sheet) -> bytes:
    """A PNG file, one row of pictures below the other. Raises InputError for more than 100 rows."""
    if len(sheet.rows) > MOST_ROWS:
        raise InputError(
            f"a PNG of {len(sheet.rows)} rows cannot be looked at; give a folder or a file that "
            "ends in .html as --output"
        )
    columns = max((len(row.panels) + bool(row.bars) for row in sheet.rows), default=1)
    with drawing():
        heading = 0.45 + 0.22 * len(sheet.notes)
        width, height = max(6.5, CELL * columns), heading + (CELL + WORDS) * len(sheet.rows)
        figure = new_figure(width, height)
        share = 1 - heading / height
        figure.get_layout_engine().set(rect=(0, 0, 1, share), hspace=0.06, wspace=0.03)
        write_name(
            lambda text, **font: figure.text(
                0.01, 1 - 0.06 / height, text, va="top", fontsize=13, fontweight="bold", **font
            ),
            sheet.title,
            NOTE,
        )
        for number, note in enumerate(sheet.notes):
            place = 1 - (0.36 + 0.22 * number) / height
            write_name(
                lambda text, place=place, **font: figure.text(
                    0.01, place, text, va="top", fontsize=9, color="#444444", **font
                ),
                note,
                NOTE,
            )
        _rows(figure, sheet.rows, columns)
        return png(figure, 110)


def _rows(figure, rows: tuple[Row, ...], columns: int) -> None:
    if not rows:
        return
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for row, places in zip(rows, grid, strict=True):
        for axes, panel in zip(places, row.panels, strict=False):
            _picture(axes, panel)
        write_name(
            lambda text, axes=places[0], **font: axes.set_title(
                text, loc="left", fontsize=9, fontweight="bold", **font
            ),
            row.title,
            LONGEST,
        )
        left = places[len(row.panels) :]
        if row.bars:
            _bars(left[0], row.bars)
            left = left[1:]
        for axes in left:
            axes.set_axis_off()


def _picture(axes, panel: Panel) -> None:
    smooth = min(panel.picture.shape[:2]) >= 128
    axes.imshow(panel.picture, interpolation="antialiased" if smooth else "nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    drawn = lettering(panel.lines, longest=UNDER, is_numbered=False)
    axes.set_xlabel("\n".join(drawn.labels), fontsize=8, family=drawn.families)


def _bars(axes, bars: tuple[tuple[str, float], ...]) -> None:
    drawn = lettering([name for name, _ in bars], longest=22, is_numbered=False)
    places = range(len(bars))
    axes.barh(places, [share for _, share in bars], color=BAR, height=0.35)
    for place, (label, (_, share)) in enumerate(zip(drawn.labels, bars, strict=True)):
        text = f"{label}  {100 * share:.1f} %"
        axes.text(0, place - 0.28, text, fontsize=8, va="bottom", family=drawn.families)
    axes.set(xlim=(0, 1), ylim=(len(bars) - 0.5, -0.9))
    axes.set_axis_off()
