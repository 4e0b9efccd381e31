"""The network of a run, alive: served beside the run's own page, where a browser can compute it."""

import json
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
    run = _Run(folder, about, data)
    return {
        WHERE: run.page,
        f"data/live/{NAME}.json": run.data,
        f"data/live/{NAME}.safetensors": run.weights,
    }


def _macs(about: Description) -> float:
    """Of a picture at the run's size, all but exactly; 0 for a network that is not known."""
    facts = stored_facts().get(about.network)
    side = about.preprocess.side
    return facts["macs"] * (side / facts["input_size"][-1]) ** 2 if facts else 0


class _Run:
    """Nothing is read before the page is asked for; then the weights are read once."""

    def __init__(self, folder: Path, about: Description, data: str):
        self.folder, self.about = folder, about
        self.set = data if data in DRAWN and len(about.classes) == 10 else ""

    @cached_property
    def _net(self):
        from convatlas.model_file import load_model

        return load_model(self.folder).net

    @cached_property
    def _program(self) -> dict:
        from convatlas.explorer.live import program

        prep = self.about.preprocess
        return program.of(self._net, (prep.channels, prep.side, prep.side), self.about.network)

    def data(self) -> bytes:
        about = {
            "network": self.about.network,
            "classes": self.about.classes,
            "preprocess": self.about.preprocess.to_dict(),
            "data": self.set,
        }
        kept = {"about": about, "program": self._program}
        return json.dumps(kept, separators=(",", ":")).encode()

    def weights(self) -> bytes:
        """All that the program reads, in 32 bits."""
        from convatlas.model_file import weights_file

        state = self._net.state_dict()
        return weights_file(
            {name: tensor.float() for name, tensor in state.items() if not name.endswith(COUNTERS)}
        )

    def page(self) -> bytes:
        name = escape(self.folder.name)
        back = f'<a href="../run/index.html">{word("live.run.back", "How the run went")}</a>'
        body = (
            f"<h1>{name} <small>{word('live.title', 'live')}</small></h1>"
            f"<p class=idea>{self._idea()}<p>{back}{self._stage()}"
        )
        return frame.page(
            WHERE, f"{self.folder.name} live", body, module="live/page.js", styles=pages.STYLES
        )

    def _stage(self) -> str:
        """Where the network runs; or why it does not."""
        try:
            _ = self._program
        except Error as fault:
            return f"<p role=alert>{escape(str(fault))}"
        sure = word("live.without", "Without JavaScript the network does not run.")
        return f"<div id=live data-network={NAME}><p>{sure}</div>"

    def _idea(self) -> str:
        set_ = "mnist" if self.set == "digits" else self.set
        if set_:
            return word(f"live.idea.{set_}", pages.IDEAS[set_])
        return word("live.idea.run", IDEA)


IDEA = (
    "Drop a picture: the network of this run reads it here, in this page. Point at any value of "
    "any map to see the window, the weights and the sum that it is made of."
)
