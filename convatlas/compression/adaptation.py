"""The trace of NetAdapt on disk: after each step the table, and the network as it then is, so that
nothing is lost and the rest can be done later.

    trace.json, trace.csv, trace.png    the steps
    steps/NN/                           the network after step NN, a folder that predict reads
    model.json, model.safetensors       the result
"""

import csv
import io
import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path

from torch import nn

from convatlas import strict_json
from convatlas.errors import RunError
from convatlas.model_file import Saved, describe_model, load_model, weights_file
from convatlas.narrowing.surgery import widths
from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only
from convatlas.training import plots
from convatlas.training.folder import RunFolder
from convatlas.training.plain_files import kind, make_durably, read_plain

FORMAT = 1
LARGEST = 32_000_000  # bytes of trace.json


@dataclass(frozen=True)
class Step:
    """A row of the trace: which layer became narrower, and what that made of the network."""

    step: int  # 0: the network as it came
    layer: str
    before: int  # filters of the layer
    filters: int
    target: float  # of the cost
    cost: float
    macs: int
    params: int
    right: int  # of the validation pictures
    pictures: int
    loss: float
    proposals: int  # among which it was chosen

    @property
    def accuracy(self) -> float:
        return self.right / self.pictures


class Journal:
    """A folder that is held while it is entered, and what it says of the adaptation in it."""

    def __init__(self, path: Path, about: Mapping):
        self.folder = RunFolder(path)
        self.about = dict(about)  # what must be the same for it to be continued
        self.recipe = b""  # of the run, which goes with every network: it knows its images
        self.steps: list[Step] = []
        self.refused: dict[str, str] = {}  # layers that cannot be narrowed, and why
        self.table: list = []  # of latencies
        self.result: dict = {}  # once all is done

    @property
    def path(self) -> Path:
        return self.folder.path

    def open(self, resume: bool) -> None:
        """Takes up what stands there. RunError where there is something and nobody asked to go on,
        and where it is damaged, or of another network or other settings.
        """
        file = self.path / "trace.json"
        if not resume:
            if self.path.exists() and any(p.name != "run.lock" for p in self.path.iterdir()):
                raise RunError(
                    f"{self.path} exists; give another folder with --output, or go on in it with "
                    "--resume"
                )
            return
        try:
            content = read_plain(file, LARGEST) if kind(file) else b""
            if content:
                self._take_up(strict_json.loads(content))
        except OSError as error:
            raise RunError(f"cannot read {file} ({error.strerror})") from None
        except (ValueError, TypeError, KeyError, AttributeError):
            raise RunError(
                f"{file} is damaged; begin again in another folder with --output"
            ) from None

    def _take_up(self, found: dict) -> None:
        changed = [name for name in self.about if found["about"].get(name) != self.about[name]]
        if found["format"] != FORMAT or changed:
            name = changed[0] if changed else "format"
            raise RunError(
                f"{self.path} was begun with another {name}: {found['about'].get(name)!r}, not "
                f"{self.about.get(name)!r}; give the same again, or another folder with --output"
            )
        names = {field.name for field in fields(Step)}
        self.steps = [Step(**{n: row[n] for n in names}) for row in found["steps"]]
        self.refused = dict(found["refused"])
        self.table = [(tuple(key), float(ms)) for key, ms in found["table"]]
        self.result = dict(found["result"])

    def last_network(self, start: Saved) -> Saved:
        """The network after the last step; `start` where there is none."""
        if len(self.steps) < 2:
            return start
        return load_model(self._of(self.steps[-1].step))

    def _of(self, step: int) -> Path:
        return self.path / "steps" / f"{step:02d}"

    def add(self, step: Step, start: Saved, net: nn.Module, table: list) -> None:
        """The network first, then the table that says it is there. RunError where the folder cannot
        be written.
        """
        if step.step:
            make_durably(self._of(step.step))
            self._write_model(f"steps/{step.step:02d}/", start, net, {"step": step.step})
        self.steps.append(step)
        self.table = table
        self._write_trace()

    def finish(self, start: Saved, net: nn.Module, result: dict, warn: Callable) -> None:
        """The result, its figures and the plot."""
        self.result = result
        self._write_model("", start, net, {"steps": len(self.steps) - 1})
        self._write_trace()
        unit = self.about["unit"]
        try:
            title = f"{start.network} on {self.about['data']}"
            points = [(s.cost, 100 * s.accuracy) for s in self.steps]
            right = result["validation"]["right"] / result["validation"]["pictures"]
            end = (self.steps[-1].cost, 100 * right) if result["trained_at_the_end"] else None
            self.folder.write("trace.png", plots.adaptation(points, end, unit, title))
        except Exception as error:
            reason = str(error).partition("\n")[0] or type(error).__name__
            warn(f"{self.path / 'trace.png'} could not be drawn ({reason}); the result is complete")

    def _write_model(self, where: str, start: Saved, net: nn.Module, done: dict) -> None:
        with shapes_only():
            full = create_model(start.network, len(start.classes), start.preprocess.channels)
        weights = weights_file(net.state_dict())
        about = start.provenance | {"narrowed": {**self.about["settings"], **done}}
        text = describe_model(
            *(start.network, start.classes, start.preprocess, about, weights, widths(net, full))
        )
        self.folder.write(f"{where}model.safetensors", weights)
        self.folder.write(f"{where}model.json", text)
        if self.recipe:
            self.folder.write(f"{where}recipe.toml", self.recipe)

    def _write_trace(self) -> None:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([field.name for field in fields(Step)])
        writer.writerows(astuple(step) for step in self.steps)
        self.folder.write("trace.csv", out.getvalue())
        found = {
            "format": FORMAT,
            "about": self.about,
            **self.summary(),
            "table": [[list(key), ms] for key, ms in self.table],
        }
        self.folder.write("trace.json", json.dumps(found, indent=1, allow_nan=False))

    def summary(self) -> dict:
        """The steps, what was refused, and the result, as they are printed."""
        return {
            "steps": [asdict(step) for step in self.steps],
            "refused": self.refused,
            "result": self.result,
        }

    @property
    def resume(self) -> str:
        """What goes on here."""
        return f"the same command with --resume --output {shlex.quote(str(self.path))}"
