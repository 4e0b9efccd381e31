"""The pages as a reader meets them: in Chromium, by pointer and by keyboard, from host and disk."""

import gzip

import pytest
from skips import needs

from convatlas import registry
from convatlas.anatomy import network_graph
from convatlas.explorer import building, contents, sources, steps

FIRST_VIEW = 100_000  # bytes, gzipped, of all that the first view of a network asks for
PAGES = (
    "index.html",
    "tree.html",
    "chart.html",
    "networks/resnet50.html",
    "networks/lenet5.html",
    "networks/googlenet.html",
    "networks/mobilenet_v1.html",
    "networks/efficientnet_b0.html",
    "papers/resnet.html",
    "papers/mobilenet_v1.html",
)


@pytest.fixture(scope="module")
def files():
    return contents.site()


@pytest.fixture(scope="module")
def site(serve, files):
    return serve(files)


@needs("axe-playwright-python is not installed", "axe_playwright_python")
@pytest.mark.parametrize("path", PAGES)
def test_nothing_serious_is_found_by_axe(tab, site, path):
    from axe_playwright_python.sync_playwright import Axe

    tab.goto(f"{site}{path}")
    tab.locator("button.language").wait_for()
    for details in tab.locator("details > summary").all():
        details.click()
    found = Axe().run(tab).response["violations"]
    serious = [each["id"] for each in found if each["impact"] in ("serious", "critical")]
    assert serious == []


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", [320, 3840])
def test_nothing_runs_over_the_side(tab, site, path, width):
    tab.set_viewport_size({"width": width, "height": 800})
    tab.goto(f"{site}{path}")
    tab.locator("button.language").wait_for()
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_a_row_lights_what_it_speaks_of(tab, site):
    tab.goto(f"{site}networks/resnet50.html#conv3_x.2")
    row = tab.locator("tr.lit")
    row.wait_for()
    assert row.get_attribute("id") == "conv3_x.1"
    tab.locator("#conv4_x a").first.hover()
    tab.locator("tr.lit#conv4_x").wait_for()
    lit = tab.locator(".claims .lit").all_inner_texts()
    assert lit and all(text.startswith("conv4_x") for text in lit)


def test_a_drawing_of_every_unit_lights_the_same_unit(tab, serve):
    """A full site shows it first; the box or frame of the address is lit in either level."""
    tab.goto(f"{serve(contents.site(full=True))}networks/resnet50.html#conv3_x.0")
    for level, path in (("every unit", "conv3_x.0"), ("stages", "conv3_x")):
        tab.get_by_role("button", name=level).click()
        tab.locator(f'#drawing svg .lit[data-path="{path}"]').first.wait_for(state="attached")


def test_a_claim_has_an_address(tab, site):
    tab.goto(f"{site}networks/resnet50.html#claim-3")
    tab.locator("tr.lit#conv3_x").wait_for()
    assert tab.locator(":target").get_attribute("id") == "claim-3"


def test_the_code_follows_the_unit(tab, site):
    tab.goto(f"{site}networks/resnet50.html")
    tab.locator("details.source > summary").click()
    tab.locator("#conv4_x a").first.hover()
    tab.locator(".source li.lit").first.wait_for()
    assert "self.conv4_x" in tab.locator(".source li.lit").first.inner_text()


def test_the_search_opens_a_network_by_keyboard(tab, site):
    tab.goto(f"{site}index.html")
    tab.locator("button.language").wait_for()
    tab.keyboard.press("/")
    tab.keyboard.type("mobilenet v2")
    tab.locator("#bar-list [role=option]").first.wait_for()
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/networks/mobilenet_v2.html")


def test_a_network_is_walked_through_by_keyboard(tab, site):
    """Tab reaches the bar, the tools, every row and every claim, and each is shown when reached."""
    tab.goto(f"{site}networks/lenet5.html")
    tab.locator("button.language").wait_for()
    reached, shown = [], []
    for _ in range(140):
        tab.keyboard.press("Tab")
        told = tab.evaluate(
            "() => { const at = document.activeElement; return [at.id || at.getAttribute('href')"
            " || at.className || at.tagName, at.matches(':focus-visible')] }"
        )
        reached.append(told[0])
        shown.append(told[1])
    wanted = {"#main", "bar-box", "size", "language", "#C1", "#C3", "#F6", "#claim-4"}
    assert wanted <= set(reached), wanted - set(reached)
    assert all(shown[: reached.index("#claim-4") + 1])


def test_the_interface_speaks_chinese(tab, site):
    tab.goto(f"{site}networks/lenet5.html")
    tab.locator("button.language").click()
    tab.locator("html[lang=zh-Hans]").wait_for()
    assert tab.locator(".facts dt").first.inner_text() == "参数量"
    tab.goto(f"{site}tree.html")
    tab.locator("html[lang=zh-Hans]").wait_for()  # remembered


def test_a_network_is_read_without_scripts(chromium, site):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}networks/resnet50.html")
    text = page.locator("main").inner_text()
    context.close()
    assert all(each in text for each in ("25,557,032", "conv5_x", "What is printed", "Notes"))


@pytest.mark.parametrize("name", ["resnet50", "densenet264", "nasnet_a_6_4032"])
def test_the_first_view_of_a_network_is_small(tab, site, name):
    total = []
    tab.on("response", lambda answer: total.append(len(gzip.compress(answer.body(), 9))))
    tab.goto(f"{site}networks/{name}.html")
    tab.locator("button.language").wait_for()
    tab.wait_for_load_state("networkidle")
    assert 0 < sum(total) <= FIRST_VIEW


@pytest.mark.parametrize("name", ["resnet50", "googlenet", "mobilenet_v2", "inception_v3"])
def test_the_page_counts_sizes_as_python_does(tab, site, name):
    facts = registry.describe(name)
    up = sources.rounded_up(facts["family"])
    way = steps.steps(network_graph.stored(name), facts["layers"]["rows"], up)
    tab.goto(f"{site}networks/{name}.html")
    tab.locator("#size").wait_for()
    for size in (161, 224, 300):
        tab.fill("#size", str(size))
        tab.keyboard.press("Enter")
        shown = tab.evaluate(
            "() => [...document.querySelectorAll('.units tbody tr')].map("
            "row => [Number(row.dataset.n), row.cells[2].textContent])"
        )
        heights = way.sizes(size)
        wrong = [text for n, text in shown if n > 0 and not text.endswith(f"x{heights[n]}")]
        assert wrong == []


def test_another_size_costs_what_the_paper_prints(tab, site):
    """MobileNet's Table 7 prints 290 million at 160x160; the index measures 290,7."""
    tab.goto(f"{site}networks/mobilenet_v1.html")
    tab.locator("#size").wait_for()
    tab.fill("#size", "160")
    tab.keyboard.press("Enter")
    tab.locator(".tools button").wait_for()
    assert tab.locator(".tools output").inner_text().startswith("290,6") or tab.locator(
        ".tools output"
    ).inner_text().startswith("290,7")


def test_a_file_that_is_no_picture_is_one_sentence(tab, site, tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    tab.goto(f"{site}networks/lenet5.html")
    tab.locator(".field > summary").click()
    tab.set_input_files(".field input[type=file]", tmp_path / "a.png")
    tab.locator(".field .odd").wait_for()
    assert "no picture" in tab.locator(".field .odd").inner_text()


def test_one_file_shows_every_page_from_disk(tab, files, tmp_path):
    file = tmp_path / "atlas.html"
    few = {path: make for path, make in files.items() if _among(path)}
    building.write_single(few, file)
    tab.goto(f"{file.as_uri()}?at=networks/lenet5.html#C3")
    tab.locator("tr.lit#C3").wait_for()
    tab.locator("a.home").click()
    tab.locator("#front-box").fill("lenet5")
    tab.locator("#front-list [role=option]").first.wait_for()
    tab.locator("#front-box").press("Enter")
    tab.wait_for_url("**networks/lenet5.html")
    tab.locator("p.cite a").click()
    tab.wait_for_url("**papers/lenet5.html")


def _among(path: str) -> bool:
    return (
        path.startswith(("static/", "index", "data/networks", "data/sources", "data/drawings"))
        or "lenet5" in path
    )
