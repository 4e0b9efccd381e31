"""The page of a report in a browser: it asks for nothing, fits every window, all can read it."""

import pytest
from made_runs import draw, make_run
from skips import needs

from convatlas.data import open_data
from convatlas.reporting import report

ERRORS = {
    "lenet5": 0.2,
    "lenet_caffe": 0.05,
    "a_network_with_a_long_name_that_has_to_be_broken": 0.06,
}


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> str:
    """The address of a page with everything on it, pictures too: the digits' own test set."""
    home = tmp_path_factory.mktemp("study")
    digits = open_data("digits", seed=0, val_fraction=0.1)
    truth = digits.test.labels.numpy()
    about = {"truth": truth, "images": digits.test.names, "fingerprint": digits.fingerprint}
    for number, (network, error) in enumerate(ERRORS.items()):
        for seed in range(3):
            _, wrong = draw(10 * number + seed, len(truth), error)
            first, _ = draw(0, len(truth))
            answers = (truth + (wrong != first)) % 10
            folder = home / "runs" / f"{network}-{seed}"
            took = {"epochs": 12, "seconds": 10.0 + 2 * number}
            make_run(folder, network, seed, answers=answers, **took, **about)
    make_run(home / "runs" / "late", "lenet5", 9, answers=truth, is_finished=False, **about)
    return report(home, formats=["html"])[0].as_uri()


@pytest.mark.parametrize("width", [320, 400, 1280, 2560])
def test_nothing_is_wider_than_the_window(tab, page, width):
    tab.set_viewport_size({"width": width, "height": 900})
    tab.goto(page)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [400, 1280])
def test_three_networks_fit_into_the_tables_beside_one_another(tab, page, width):
    """Wide tables scroll, but nobody who reads of three networks should have to."""
    tab.set_viewport_size({"width": width, "height": 900})
    tab.goto(page)
    for kind in (".results", ".heat", ".bars"):
        found = tab.locator(f".scroll:visible:has(> {kind})")
        assert found.count()
        assert found.evaluate_all("all => all.every(e => e.scrollWidth <= e.clientWidth)"), kind


def test_every_seed_can_be_told_from_the_interval_behind_it(tab, page):
    """Each dot is ringed with paper, and darker than the band that it lies on."""
    tab.goto(page)
    seed, reach = (
        tab.locator(f"#error {kind}").first.evaluate(
            "e => (s => [s.stroke, +s.fillOpacity, +s.strokeOpacity])(getComputedStyle(e))"
        )
        for kind in (".seed", ".reach")
    )
    assert seed[0] == tab.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert seed[1] > 2 * reach[2]


def test_the_answer_is_seen_first(tab, page):
    tab.set_viewport_size({"width": 400, "height": 800})
    tab.goto(page)
    box = tab.locator(".answer").bounding_box()
    assert box["y"] + box["height"] < 800
    assert "lenet_caffe" in tab.locator(".answer").inner_text()


def test_every_part_is_there_and_the_links_lead_to_it(tab, page):
    tab.goto(page)
    links = tab.locator("nav a").all()
    assert len(links) >= 10
    for link in links:
        target = link.get_attribute("href")
        assert tab.locator(f"section{target} h2").inner_text() == link.inner_text()


def test_pictures_are_shown_large_enough(tab, page):
    tab.goto(page)
    pictures = tab.locator(".pictures img")
    assert pictures.count() >= 3
    seen = pictures.evaluate_all("all => all.map(i => [i.naturalWidth, i.width, i.height])")
    assert all(natural == 28 and width == height > 100 for natural, width, height in seen)


def test_every_seed_is_a_dot_where_its_error_is(tab, page):
    """The dots of a row stand in the order of the errors, inside the axis."""
    tab.goto(page)
    rows = tab.locator("#error tbody tr")
    assert rows.count() == 3
    for row in rows.all():
        xs = row.locator("circle.seed").evaluate_all(
            "all => all.map(c => c.getBoundingClientRect()).map(r => r.x + r.width / 2)"
        )
        told = row.locator("svg").get_attribute("aria-label")
        errors = [float(each) for each in told.rpartition("percent, ")[2].split(", ")]
        assert len(xs) == len(errors) == 3
        for i in range(3):
            for j in range(3):
                assert (xs[i] < xs[j]) == (errors[i] < errors[j])


@pytest.mark.parametrize("width", [400, 1280])
def test_no_name_in_a_chart_lies_on_the_interval_of_a_network(tab, page, width):
    tab.set_viewport_size({"width": width, "height": 900})
    tab.goto(page)
    for chart in tab.locator("#cost svg").all():
        boxes = {
            kind: chart.locator(kind).evaluate_all(
                "all => all.map(e => e.getBoundingClientRect())"
                ".map(r => [r.left, r.right, r.top, r.bottom])"
            )
            for kind in (".label", ".whisker")
        }
        assert boxes[".label"] and boxes[".whisker"]
        for left, right, top, bottom in boxes[".label"]:
            for x, _, high, low in boxes[".whisker"]:
                assert not (left < x < right and top < low and high < bottom)


@needs("axe-playwright-python is not installed", "axe_playwright_python")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_is_found_by_axe(tab, page, scheme):
    from axe_playwright_python.sync_playwright import Axe

    tab.emulate_media(color_scheme=scheme)
    tab.goto(page)
    for details in tab.locator("details > summary").all():
        details.click()
    found = Axe().run(tab).response["violations"]
    serious = [each["id"] for each in found if each["impact"] in ("serious", "critical")]
    assert serious == []


def test_on_paper_it_is_light_and_nothing_is_cut_off(tab, page):
    tab.emulate_media(media="print", color_scheme="dark")
    tab.set_viewport_size({"width": 690, "height": 1000})  # A4 without its margins
    tab.goto(page)
    assert tab.evaluate("getComputedStyle(document.documentElement).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
    assert tab.evaluate("document.documentElement.scrollWidth") <= 690
    paper = tab.pdf(format="A4", prefer_css_page_size=True)
    assert paper.startswith(b"%PDF")
