"""Pages as data: what a test reads of the HTML that explorer writes."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "input", "img", "br", "hr", "path", "rect", "circle", "line", "use"}
CLOSED_BY = {  # the end tags that HTML lets a page leave out
    "li": {"li"},
    "td": {"td", "th", "tr", "tbody"},
    "th": {"td", "th", "tr", "tbody"},
    "tr": {"tr", "tbody"},
    "thead": {"tbody"},
    "dt": {"dt", "dd"},
    "dd": {"dt", "dd"},
}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    parent: "Element | None" = None
    children: list = field(default_factory=list)  # elements and texts

    def text(self) -> str:
        return "".join(
            child.text() if isinstance(child, Element) else child for child in self.children
        )

    def all(self, tag: str = "", **wanted: str) -> list["Element"]:
        """Every element below with this tag and these attributes (`class_` one of its classes)."""
        found = []
        for child in self.children:
            if isinstance(child, Element):
                found += [child] * child.fits(tag, wanted) + child.all(tag, **wanted)
        return found

    def one(self, tag: str = "", **wanted: str) -> "Element":
        (found,) = self.all(tag, **wanted)
        return found

    def fits(self, tag: str, wanted: dict[str, str]) -> bool:
        classes = self.attributes.get("class", "").split()
        return (not tag or self.tag == tag) and all(
            value in classes if name == "class_" else self.attributes.get(name) == value
            for name, value in wanted.items()
        )


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.at = self.whole = Element("", {})

    def handle_starttag(self, tag, attrs):
        while tag in CLOSED_BY.get(self.at.tag, ()):
            self.at = self.at.parent
        element = Element(tag, {name: value or "" for name, value in attrs}, self.at)
        self.at.children.append(element)
        if tag not in VOID:
            self.at = element

    def handle_endtag(self, tag):
        at = self.at
        while at.parent is not None and at.tag != tag:
            at = at.parent
        if at.parent is not None:
            self.at = at.parent

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_data(self, data):
        self.at.children.append(data)


def read(page: bytes) -> Element:
    """A page as a tree of elements."""
    reader = _Reader()
    reader.feed(page.decode())
    reader.close()
    return reader.whole
