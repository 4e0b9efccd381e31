"""The two images of a run folder, as PNG bytes."""

import io

from torch import Tensor


def curves(log: list[dict], title: str) -> bytes:
    """Loss and accuracy by epoch, from the lines of log.jsonl."""
    figure, (left, right) = _figure(1, 2, width=10, height=4)
    epochs = [line["epoch"] for line in log]
    left.plot(epochs, [line["train_loss"] for line in log], color="#1f5f8b", label="training")
    left.plot(epochs, [line["val_loss"] for line in log], color="#c8553d", label="validation")
    left.set(xlabel="epoch", ylabel="loss", title="Loss")
    right.plot(
        epochs, [100 * line["train_accuracy"] for line in log], color="#1f5f8b", label="training"
    )
    right.plot(
        epochs, [100 * line["val_accuracy"] for line in log], color="#c8553d", label="validation"
    )
    right.set(xlabel="epoch", ylabel="accuracy (%)", title="Accuracy")
    for axes in (left, right):
        axes.grid(alpha=0.25)
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
        axes.xaxis.get_major_locator().set_params(integer=True)
    figure.suptitle(title)
    return _png(figure)


def confusion(counts: Tensor, classes: tuple[str, ...], title: str) -> bytes:
    """Rows are the true classes, columns the predicted ones; numbers are written while they can be
    read.
    """
    n = len(classes)
    side = min(14, max(4.5, 0.42 * n + 2))
    figure, axes = _figure(1, 1, width=side + 1, height=side)
    shares = (counts / counts.sum(1, keepdim=True).clamp(min=1)).numpy()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image, ax=axes, fraction=0.046, label="share of the true class")
    if n <= 40:
        axes.set_xticks(range(n), classes, rotation=90 if max(map(len, classes)) > 2 else 0)
        axes.set_yticks(range(n), classes)
    if n <= 20:
        for row in range(n):
            for column in range(n):
                if count := int(counts[row, column]):
                    shade = "white" if shares[row, column] > 0.5 else "black"
                    axes.text(column, row, count, ha="center", va="center", fontsize=8, color=shade)
    axes.set(xlabel="predicted", ylabel="true", title=title)
    return _png(figure)


def _figure(rows: int, columns: int, width: float, height: float):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(rows, columns)


def _png(figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=130)
    return file.getvalue()
