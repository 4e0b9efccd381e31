"""The network of a run, alive: served beside the run's own page, where a browser can compute it."""

from collections.abc import Callable
from functools import cached_property
from html import escape
from pathlib import Path

from convatlas.errors import Error
from convatlas.explorer import frame
from convatlas.explorer.frame import word
from convatlas.explorer.live import pages
from convatlas.model_description import Description
from convatlas.registry import stored_facts

WHERE = "live/run.html"
NAME = "run"  # of its data, beside those of the networks
MOST = 50_000_000  # multiply-adds of a picture that plain JavaScript does while one waits
DRAWN = ("digits", "mnist", "fashion-mnist")  # sets of which the page can draw examples
COUNTERS = "num_batches_tracked"  # of batch norms; nothing is computed from them


def files(folder: Path, about: Description, data: str) -> dict[str, Callable[[], bytes]]:
    """Its page and what that asks for; none where the network is too large, or not of the atlas."""
    if not 0 < _macs(about) <= MOST:
        return {}
    run = _Run(folder, data)
    return {
        WHERE: run.page,
        f"data/live/{NAME}.json": run.data,
        f"data/live/{NAME}.safetensors": run.weights,
    }


def _macs(about: Description) -> float:
    """Of a picture at the run's size, about; 0 for a network that is not known."""
    facts = stored_facts().get(about.network)
    side = about.preprocess.side
    return facts["macs"] * (side / facts["input_size"][-1]) ** 2 if facts else 0


class _Run:
    """Nothing is read before the page is asked for; then the model is read once, as it is then."""

    def __init__(self, folder: Path, data: str):
        self.folder, self.learnt_from = folder, data

    @cached_property
    def _saved(self):
        from convatlas.model_file import load_model

        return load_model(self.folder)

    @cached_property
    def _program(self) -> dict:
        from convatlas.explorer.live import program

        saved, prep = self._saved, self._saved.preprocess
        return program.of(saved.net, (prep.channels, prep.side, prep.side), saved.network)

    @property
    def _set(self) -> str:
        """The set of which the page draws examples; "" where it cannot."""
        is_drawn = self.learnt_from in DRAWN and len(self._saved.classes) == 10
        return self.learnt_from if is_drawn else ""

    def data(self) -> bytes:
        about = {
            "network": self._saved.network,
            "classes": self._saved.classes,
            "preprocess": self._saved.preprocess.to_dict(),
            "data": self._set,
        }
        return pages.written(about, self._program)

    def weights(self) -> bytes:
        """All that the program reads, in 32 bits."""
        from convatlas.model_file import weights_file

        state = self._saved.net.state_dict()
        return weights_file(
            {name: tensor.float() for name, tensor in state.items() if not name.endswith(COUNTERS)}
        )

    def page(self) -> bytes:
        name = self.folder.name
        back = f'<a href="../run/index.html">{word("live.run.back", "How the run went")}</a>'
        try:
            alive, module = self._alive(), "live/page.js"
        except Error as fault:
            alive, module = f"<p role=alert>{escape(str(fault))}", ""
        body = f"{pages.title(name)}<p>{back}{alive}"
        return frame.page(WHERE, f"{name} live", body, module=module, styles=pages.STYLES)

    def _alive(self) -> str:
        """Where the network runs. Raises Error where it cannot."""
        _ = self._program
        return f"<p class=idea>{self._idea()}{pages.stage(NAME)}"

    def _idea(self) -> str:
        set_ = "mnist" if self._set == "digits" else self._set
        if set_:
            return word(f"live.idea.{set_}", pages.IDEAS[set_])
        return word("live.idea.run", IDEA)


IDEA = (
    "Drop a picture: the network of this run reads it here, in this page. Point at any value of "
    "any map to see the window, the weights and the sum that it is made of."
)
