"""The figures and the links of a tour, as they stand in its Markdown."""

import re
from typing import NamedTuple

KERNELS = {"1x1", "2x2", "3x3", "5x5", "7x7", "1x7", "7x1"}  # words, not figures
FENCED = re.compile(r"```.*?```", re.DOTALL)
INDENTED = re.compile(r"^(?: {4,}|\t).*$", re.MULTILINE)
CODE = re.compile(r"`[^`]*`")
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)(?:\s+\"([^\"]*)\")?\)")
NAMES = re.compile(r"(?<!\w)[A-Za-z_][\w.]*(?:-\d[\w.]*)?", re.ASCII)
FIGURE = re.compile(r"\d+(?:x\d+)+|\d+(?:,\d{3})*(?:\.\d+)?", re.ASCII)


class Link(NamedTuple):
    text: str
    target: str
    address: str  # "resnet50#conv3_x.0", "vgg16..resnet34"; "" of an ordinary link


def links(text: str) -> list[Link]:
    return [Link(*found) for found in LINK.findall(text.replace("\n", " "))]


def figures(text: str) -> list[str]:
    """Every number that a reader meets in prose, tables and links, in order; not those in names
    ("ResNet-50", "conv2_x"), in code and formulas, of lists or kernels. One digit is a word: 3 is
    three.
    """
    text = INDENTED.sub("", FENCED.sub("", text))
    text = LINK.sub(lambda found: found[1], text.replace("\n", " \n"))
    text = re.sub(r"^\d\. ", "", CODE.sub("", text), flags=re.MULTILINE)
    found = FIGURE.findall(NAMES.sub(" ", text))
    return [number for number in found if len(number) > 1 and number not in KERNELS]
