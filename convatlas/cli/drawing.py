"""draw: a network, or what sets two apart, as a picture."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from convatlas.cli.printing import say
from convatlas.errors import DrawingError

Level = Literal["stage", "unit", "layer"]
Style = Literal["graph", "volumes"]


def draw(
    subject: str,
    other: str | None = None,
    *,
    level: Level = "unit",
    style: Style = "graph",
    dark: bool = False,
    size: str | None = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
) -> int:
    """Draw a network, or two side by side with their differences in colour.

    An SVG follows its reader's light or dark setting.

    Parameters
    ----------
    subject: str
        A name from `convatlas list`, or FILE.py:NAME or FILE.py:NAME(arguments), whose code is run.
    other: str
        Another name, beside that of the first: the two side by side, what differs in colour.
    level: str
        A box for each stage; all that is inside them, repeats once; or every layer.
    style: str
        Boxes and wires; or the feature maps, to scale.
    dark: bool
        Dark, whatever the reader's setting.
    size: str
        Of the images that code is drawn for: 224, 3x224x224 or 1x28x28 [what the network states, or
        the first usual size that it runs on].
    output: str
        A file that ends in .svg, .png or .pdf [the name of the network, .svg].
    """
    from convatlas import drawing

    if other is None:
        net, input_size = _opened(subject, size)
        drawn = drawing.draw(
            net, level=level, style=style, dark=dark or None, input_size=input_size
        )
    else:
        if style != "graph":
            raise DrawingError("two networks are drawn as graphs; leave --style out")
        if size is not None:
            raise DrawingError("two networks are drawn for what they read; leave --size out")
        drawn = drawing.differences(subject, other, level=level, dark=dark or None)
    path = output or Path(_file_name(subject, other))
    drawn.save(path)
    say(f"{path}: {drawn.scene.width} x {drawn.scene.height}, {path.stat().st_size / 1000:.0f} kB")
    return 0


def _file_name(network: str, other: str | None) -> str:
    """In the folder where one is, without what no file name holds."""
    names = [
        name.partition("(")[0].rpartition(":")[2].rpartition(".")[2]
        for name in (network, other or "")
    ]
    return "-".join(filter(None, names)) + ".svg"


def _opened(network: str, size: str | None):
    """What draw takes: a name and no size, or a module and a size that it runs on."""
    if ".py" not in network and ":" not in network:
        if size is not None:
            raise DrawingError(f"--size is for code; {network} is drawn for what it reads")
        return network, None
    from convatlas.cli.code import module_at, size_of

    net = module_at(network, "draw")
    return net, size_of(net, size)
