"""A drawing of a network, and the files it is saved as."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from convatlas.anatomy import network_graph
from convatlas.anatomy.network_graph import NetworkGraph
from convatlas.anatomy.table import Layer
from convatlas.drawing import paper, picture, svg
from convatlas.drawing.scene import Scene
from convatlas.errors import DrawingError
from convatlas.registry import describe

STYLES = ("graph", "volumes")
KINDS = (".svg", ".png", ".pdf")


@dataclass(frozen=True)
class Drawing:
    """A scene and its colours: `dark` or light; with None an SVG follows its reader's setting, and
    paper is light.

    Notebooks show it; `save` writes it.
    """

    scene: Scene
    dark: bool | None = None

    @cached_property
    def svg(self) -> str:
        """A whole SVG file. Every box has its path in the network as `data-path`."""
        return svg.svg(self.scene, self.dark)

    @cached_property
    def inline(self) -> str:
        """The same for a page that has the style sheet (`convatlas.drawing.stylesheet`): without
        one, and as wide as the page lets it be.
        """
        return svg.inline(self.scene)

    def png(self) -> bytes:
        """Two dots for each unit."""
        return paper.png(self.scene, bool(self.dark))

    def pdf(self) -> bytes:
        """On pages of A4, with letters that can be searched."""
        return paper.pdf(self.scene, bool(self.dark))

    def save(self, path: str | Path) -> Path:
        """Write it as the suffix says: .svg, .png or .pdf. DrawingError for another, or where
        nothing can be written.
        """
        path = Path(path)
        makers = {".svg": lambda: self.svg.encode(), ".png": self.png, ".pdf": self.pdf}
        if path.suffix.lower() not in makers:
            given = path.suffix or "a name without a suffix"
            raise DrawingError(f"{path}: a drawing is saved as {', '.join(KINDS)}, not {given}")
        data = makers[path.suffix.lower()]()
        try:
            path.write_bytes(data)
        except OSError as error:
            raise DrawingError(
                f"{path} cannot be written ({error.strerror}); name another place"
            ) from None
        return path

    def _repr_svg_(self) -> str:
        return self.svg


def draw(
    network: str | object,
    *,
    level: str = "unit",
    style: str = "graph",
    dark: bool | None = None,
    input_size: Iterable[int] | None = None,
    columns: int | None = None,
) -> Drawing:
    """A drawing of a network of the atlas, by its name (torch is not loaded), or of any module for
    one image of `input_size`, (C, H, W), by default the module's own.

    level: "stage", a box for each stage; "unit", all that is inside them, repeats once; "layer",
    every layer. style: "graph", or "volumes", the feature maps to scale (of any level, it is the
    same). columns: that many side by side; by default as many as make it the shape of a page.

    UnknownNetwork for a name that is not in the atlas; DrawingError for another level or style.
    """
    _require_level(level)
    if style not in STYLES:
        raise DrawingError(f"there is no style {style!r}; give one of {', '.join(STYLES)}")
    graph, rows, ends = read(network, input_size)
    if style == "volumes":
        from convatlas.drawing import volumes

        return Drawing(volumes.scene(graph, rows, ends), dark)
    return Drawing(picture.scene(graph, rows, ends, level, columns), dark)


def read(
    network: str | object, input_size: Iterable[int] | None = None
) -> tuple[NetworkGraph, list[Layer], dict]:
    """The drawn graph, the layer table and what containers give out (see anatomy.fold): stored, or
    traced now.
    """
    if isinstance(network, str):
        table = describe(network)["layers"]
        graph = network_graph.stored(network)
        return graph, [Layer.from_row(row) for row in table["rows"]], table["ends"]
    graph, measured = network_graph.with_summary(network, input_size)
    ends = {
        path: (part.output, part.receptive_field) for path, part in measured.parts.items() if path
    }
    return graph, list(measured.rows), ends


def differences(a: str, b: str, *, level: str = "unit", dark: bool | None = None) -> Drawing:
    """Two networks of the atlas side by side: grey is the same in both, colours say what changes
    and what one has alone.

    UnknownNetwork for a name that is not in the atlas; DrawingError for another level. torch is not
    loaded.
    """
    from convatlas import stored_walks
    from convatlas.anatomy.beside import beside
    from convatlas.drawing import side_by_side

    _require_level(level)
    networks, walks = (
        [read(name) for name in (a, b)],
        [stored_walks.stored(name) for name in (a, b)],
    )
    if missing := [name for name, walk in zip((a, b), walks, strict=True) if walk is None]:
        raise DrawingError(
            f"the index holds no walk of {missing[0]}; `python -m convatlas.index {missing[0]}` "
            "makes it"
        )
    return Drawing(side_by_side.scene(networks, beside(*walks), level), dark)


def _require_level(level: str) -> None:
    if level not in picture.LEVELS:
        raise DrawingError(f"there is no level {level!r}; give one of {', '.join(picture.LEVELS)}")
