"""The drawings that pages show, from the drawing room."""


def drawn(name: str) -> str:
    """The stage-level drawing of a network as inline SVG; "" until there is one."""
    return ""
