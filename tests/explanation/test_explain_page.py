"""The page that explain writes, in a browser: it asks for nothing, and can be read by all."""

import pytest
from skips import needs

from convatlas.cli import run as command


@pytest.fixture(scope="module")
def page(run, tmp_path_factory) -> str:
    """The address of a page with one of everything."""
    place = tmp_path_factory.mktemp("page") / "explained.html"
    flags = ("--maps", "H1", "--filters", "H3", "--field", "H3", "--nearest", "--worst", "2")
    assert command(["explain", str(run), "--test", "2", *flags, "-o", str(place)]) == 0
    return place.as_uri()


def test_every_picture_is_shown_and_nothing_is_asked_for(tab, page):
    tab.goto(page)
    sizes = tab.eval_on_selector_all("img", "all => all.map(i => i.complete && i.naturalWidth)")
    assert len(sizes) > 15
    assert all(sizes)
    share = tab.eval_on_selector("li i", "bar => bar.getBoundingClientRect().width")
    assert share > 150


@pytest.mark.parametrize("width", [320, 1280, 2560])
def test_nothing_is_wider_than_the_window(tab, page, width):
    tab.set_viewport_size({"width": width, "height": 900})
    tab.goto(page)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


@needs("axe-playwright-python is not installed", "axe_playwright_python")
def test_nothing_serious_is_found_by_axe(tab, page):
    from axe_playwright_python.sync_playwright import Axe

    tab.goto(page)
    found = Axe().run(tab).response["violations"]
    serious = [each["id"] for each in found if each["impact"] in ("serious", "critical")]
    assert serious == []
