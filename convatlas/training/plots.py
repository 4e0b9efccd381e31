"""What is drawn, as PNG bytes: the images of a run folder and of an adapted one, and bars."""

from collections.abc import Sequence

from torch import Tensor

from convatlas.plotting.lettering import columns, lettering
from convatlas.plotting.quiet import drawing, new_figure, png, write_name

INCHES = 0.085  # a column of a label
MOST_SQUARES = 1000  # on a side of a confusion matrix: more are no picture


def curves(log: list[dict], title: str) -> bytes:
    """Loss and accuracy by epoch, from the lines of log.jsonl."""
    with drawing():
        figure, (left, right) = _figure(1, 2, width=10, height=4)
        epochs = [line["epoch"] for line in log]
        for axes, what, scale in ((left, "loss", 1), (right, "accuracy", 100)):
            for part, label, colour in (
                ("train", "training", "#1f5f8b"),
                ("val", "validation", "#c8553d"),
            ):
                values = [scale * line[f"{part}_{what}"] for line in log]
                axes.plot(epochs, values, color=colour, label=label)
            axes.set(xlabel="epoch", ylabel=what if scale == 1 else f"{what} (%)")
            axes.set_title(what.capitalize())
            axes.grid(alpha=0.25)
            axes.legend(frameon=False)
            axes.spines[["top", "right"]].set_visible(False)
            axes.xaxis.get_major_locator().set_params(integer=True)
        write_name(figure.suptitle, title)
        return png(figure)


def rates(
    tried: Sequence[float],
    losses: Sequence[float],
    smoothed: Sequence[float],
    suggestion: float | None,
    title: str,
) -> bytes:
    """Loss by learning rate, as each step found it and smoothed; a line at the suggestion."""
    with drawing():
        figure, axes = _figure(1, 1, width=7, height=4.5)
        axes.plot(tried, losses, color="#9db4c0", linewidth=1, label="each step")
        axes.plot(tried, smoothed, color="#1f5f8b", label="smoothed")
        if suggestion:
            name = f"suggestion: {suggestion:.2g}"
            axes.axvline(suggestion, color="#c8553d", linestyle="--", label=name)
        axes.set(xscale="log", xlabel="learning rate", ylabel="training loss")
        axes.xaxis.set_major_formatter(lambda rate, _: f"{rate:g}")
        if smoothed:
            low, high = min(smoothed), max(smoothed[0], min(smoothed))
            axes.set_ylim(low - 0.1 * (high - low or 1), high + 0.3 * (high - low or 1))
        axes.grid(alpha=0.25)
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
        write_name(figure.suptitle, title)
        return png(figure)


def confusion(counts: Tensor, classes: tuple[str, ...], title: str, together: int = 1) -> bytes:
    """Rows are the true classes, columns the predicted ones, `together` neighbouring ones in each;
    numbers are written while they can be read. Names that no font of this machine can draw are
    spelled in Latin letters.
    """
    n = len(counts)
    with drawing():
        drawn = lettering(classes if n <= 40 and together == 1 else ())
        room = INCHES * max(map(columns, drawn.labels), default=0)
        side = min(14, max(4.5, 0.42 * n + 2)) + room
        figure, axes = _figure(1, 1, width=side + 1, height=side)
        shares = (counts / counts.sum(1, keepdim=True).clamp(min=1)).numpy()
        image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        figure.colorbar(image, ax=axes, fraction=0.046, label="share of the true class")
        if drawn.labels:
            upright = 0 if max(map(columns, drawn.labels)) <= 2 else 90
            font = {"family": drawn.families}
            axes.set_xticks(range(n), drawn.labels, rotation=upright, **font)
            axes.set_yticks(range(n), drawn.labels, **font)
        if n <= 20:
            _write_counts(axes, counts, shares)
        note = "\nspelled in Latin letters: no font of this machine has the names' own"
        each = f", {together} classes in a row" if together > 1 else ""
        note = note if drawn.is_spelled else ""
        axes.set(xlabel=f"predicted{each}{note}", ylabel=f"true{each}")
        write_name(axes.set_title, title)
        return png(figure)


def bars(groups: dict[str, dict[str, float]], unit: str, title: str) -> bytes:
    """A row of bars for each group, named beside them, with their values."""
    with drawing():
        count = sum(map(len, groups.values())) + 2 * len(groups)
        figure, axes = _figure(1, 1, width=9, height=1.2 + 0.27 * count)
        places, names, values = [], [], []
        place = 0.0
        for group, each in groups.items():
            axes.text(0, place, group, va="center", fontweight="bold")
            for name, value in each.items():
                place += 1
                places.append(place)
                names.append(name)
                values.append(value)
            place += 2
        drawn = axes.barh(places, values, color="#1f5f8b")
        axes.bar_label(drawn, fmt="%.3g", padding=3)
        axes.set_yticks(places, names)
        axes.set(xlabel=unit, ylim=(place - 1, -1))
        axes.spines[["top", "right"]].set_visible(False)
        axes.margins(x=0.12)
        write_name(axes.set_title, title)
        return png(figure)


def adaptation(
    points: list[tuple[float, float]], end: tuple[float, float] | None, unit: str, title: str
) -> bytes:
    """Validation accuracy (%) by cost, from the network as it came to the one within its budget,
    and what the training at the `end` made of that.
    """
    with drawing():
        figure, axes = _figure(1, 1, width=7, height=4.5)
        axes.plot(*zip(*points, strict=True), color="#1f5f8b", marker="o", label="after each step")
        if end:
            axes.plot(*end, color="#c8553d", marker="s", linestyle="", label="trained at the end")
        axes.invert_xaxis()
        axes.set(xlabel=f"cost ({unit})", ylabel="validation accuracy (%)")
        axes.grid(alpha=0.25)
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
        write_name(figure.suptitle, title)
        return png(figure)


def _write_counts(axes, counts: Tensor, shares) -> None:
    for row, column in counts.nonzero().tolist():
        shade = "white" if shares[row, column] > 0.5 else "black"
        place = {"ha": "center", "va": "center", "fontsize": 8, "color": shade}
        axes.text(column, row, int(counts[row, column]), **place)


def _figure(rows: int, columns: int, width: float, height: float):
    figure = new_figure(width, height)
    return figure, figure.subplots(rows, columns)
