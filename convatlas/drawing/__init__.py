"""Drawings of networks: a drawn graph and its layer table -> a scene with exact places -> SVG, PNG
or PDF.

Here belongs geometry and what makes a drawing legible: what is shown, where it stands, in which
colours. Deterministic; stored networks are drawn without torch. The layout is our own: rows and
branches nest (structure.py, rows.py), what is neither lies in layers (mesh.py).
"""

from convatlas.drawing.drawn import Drawing, differences, draw
from convatlas.drawing.svg import stylesheet

__all__ = ["Drawing", "differences", "draw", "stylesheet"]
