"""Test pictures, where they are at hand, with what was answered to them."""

from collections.abc import Iterable, Mapping

from convatlas.reporting.hard_pictures import Disputed, Hard, HardPictures
from convatlas.reporting.page.markup import name, text
from convatlas.reporting.page.results import key
from convatlas.reporting.sections import Section
from convatlas.reporting.spelling import plural
from convatlas.reporting.thumbnails import CRISP, Thumbnail

Thumbnails = Mapping[str, Thumbnail]
DISPUTED = "In how many of the runs of each network the picture is answered wrongly."
SAID = 3  # answers beside a picture


def always(section: Section, hard: HardPictures, thumbnails: Thumbnails) -> str:
    """Those that no run of any network gets right."""
    runs = plural(hard.runs, "run")
    if not hard.wrong:
        return f"<p>Every test picture is answered rightly by at least one of the {runs}.</p>\n"
    more = f"; here are the first {len(hard.shown)}" if hard.wrong > len(hard.shown) else ""
    items = (_item(section, each, thumbnails, _answers(section, each)) for each in hard.shown)
    return (
        f"<p>All {runs} are wrong on {plural(hard.wrong, 'picture')} of {section.pictures:,}"
        f"{more}.</p>{_list(items)}"
    )


def disputed(section: Section, hard: HardPictures, thumbnails: Thumbnails) -> str:
    """Those on which the best network and another disagree."""
    numbers = {entry.name: i for i, entry in enumerate(section.entries)}
    parts = [f'<p class="quiet">{DISPUTED}</p>']
    for a, b, found in hard.disputed:
        i, j = numbers[a], numbers[b]
        items = (_item(section, each.picture, thumbnails, _shares((i, j), each)) for each in found)
        parts.append(f"<h3>{key(i)}{name(a)} and {key(j)}{name(b)}</h3>{_list(items)}")
    return "".join(parts)


def _list(items: Iterable[str]) -> str:
    return f'<ul class="pictures">{"".join(items)}</ul>\n'


def _item(section: Section, hard: Hard, thumbnails: Thumbnails, told: str) -> str:
    truth = section.classes[hard.truth]
    found = thumbnails.get(hard.image)
    picture = _picture(found, f"a test picture of class {truth}") if found else ""
    return f"<li>{picture}<b>{text(truth)}</b>{told}<span>{text(hard.image)}</span></li>"


def _picture(found: Thumbnail, told: str) -> str:
    crisp = ' class="pixels"' if max(found.width, found.height) <= CRISP else ""
    return (
        f'<img{crisp} src="{found.source}" width="{found.width}" height="{found.height}" '
        f'alt="{text(told)}">'
    )


def _answers(section: Section, hard: Hard) -> str:
    said = ", ".join(
        f"{text(section.classes[answer])} ({count})" for answer, count in hard.answers[:SAID]
    )
    return f"<span>taken for {said}</span>"


def _shares(numbers: tuple[int, int], each: Disputed) -> str:
    """How often each network is wrong."""
    shares = zip(numbers, (each.share_a, each.share_b), strict=True)
    return "".join(f"<span>{key(i)}wrong {100 * share:.0f} %</span>" for i, share in shares)
