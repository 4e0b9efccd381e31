"""The page of a live network as a reader meets it: drawing, choosing, dropping, looking."""

import pytest

from convatlas.explorer import contents
from convatlas.explorer.live import stored

DIGITS = "lenet5"
PHOTOGRAPHS = "resnet20_cifar"
CLOTHES = "lenet5_tutorial"


@pytest.fixture(scope="module")
def site(serve):
    return serve(contents.site())


def opened(tab, site: str, name: str, query: str = ""):
    tab.goto(f"{site}live/{name}.html{query}")
    tab.locator(".says").wait_for()
    return tab


def test_a_digit_is_drawn_by_mouse(tab, site):
    page = opened(tab, site, DIGITS)
    page.get_by_role("button", name="Clear").click()
    pad = page.locator("canvas.pad").bounding_box()
    x, y = pad["x"] + pad["width"] / 2, pad["y"]
    page.mouse.move(x, y + 40)
    page.mouse.down()
    page.mouse.move(x - 4, y + pad["height"] - 40, steps=12)
    page.mouse.up()
    page.wait_for_function("document.querySelector('.says').textContent.startsWith('1,')")
    page.mouse.move(x + 80, y + 60)  # a pen that is up draws nothing
    assert page.locator(".says").inner_text().startswith("1,")


@pytest.mark.parametrize("digit", range(10))
def test_each_example_is_read_right(tab, site, digit):
    page = opened(tab, site, DIGITS)
    page.get_by_role("button", name=f"Example: {digit}").press("Enter")
    page.wait_for_function(f"document.querySelector('.says').textContent.startsWith('{digit},')")


@pytest.mark.parametrize(
    "silhouette", ["T-shirt", "trouser", "dress", "sandal", "sneaker", "bag", "ankle boot"]
)
def test_a_silhouette_is_read_right(tab, site, silhouette):
    page = opened(tab, site, CLOTHES)
    page.get_by_role("button", name=f"Example: {silhouette}", exact=True).press("Enter")
    page.wait_for_function(
        f"document.querySelector('.says').textContent.startsWith('{silhouette},')"
    )


@pytest.mark.parametrize("name", [CLOTHES, PHOTOGRAPHS])
def test_each_class_has_a_drawing_of_its_own(tab, site, name):
    page = opened(tab, site, name)
    shown = set()
    for button in page.locator(".examples button").all():
        button.press("Enter")
        shown.add(page.locator("canvas.read").evaluate("canvas => canvas.toDataURL()"))
    assert len(shown) == len(stored.about(name)["classes"]) == 10


def test_lenet5_shows_its_distances(tab, site):
    page = opened(tab, site, DIGITS)
    assert page.locator("canvas.character").count() == 10
    distances = [float(cell) for cell in page.locator(".answer td:nth-child(3)").all_inner_texts()]
    assert min(distances) == distances[3]
    assert all(distance >= 0 for distance in distances)


def test_a_value_is_taken_apart_by_keyboard(tab, site):
    page = opened(tab, site, DIGITS)
    mosaic = page.locator(".mosaic").nth(2)
    mosaic.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "PageDown"):
        page.keyboard.press(key)
    told = page.locator(".sum").inner_text()
    assert "C3.squash squashing, map 1, row 1, column 1" in told
    assert "C3.layer convolution, map 1, row 1, column 1" in told
    assert told.count("S2.squash, map") == 3  # Table I: C3's second map reads S2's 1, 2 and 3
    assert mosaic.locator(".mark").is_visible()


def test_a_value_is_taken_apart_by_pointer(tab, site):
    page = opened(tab, site, PHOTOGRAPHS)
    page.locator(".mosaic").first.hover(position={"x": 9, "y": 5})
    assert "map 0, row 2, column 4" in page.locator(".sum").inner_text()


def test_another_operation_of_a_stage_is_shown(tab, site):
    page = opened(tab, site, PHOTOGRAPHS)
    page.locator(".stage select").first.select_option(index=0)
    page.locator(".mosaic").first.hover(position={"x": 9, "y": 5})
    assert "convolution, map 0, row 2, column 4" in page.locator(".sum").inner_text()


def test_what_is_no_picture_is_said(tab, site):
    page = opened(tab, site, PHOTOGRAPHS)
    file = {"name": "notes.png", "mimeType": "image/png", "buffer": b"no picture"}
    page.locator("input[type=file]").first.set_input_files(file)
    assert "no picture" in page.get_by_role("alert").inner_text()


def test_the_map_of_another_class_is_shown(tab, site):
    page = opened(tab, site, PHOTOGRAPHS)
    page.locator(".answer tbody button").nth(7).click()
    said = page.locator("figure.cam figcaption").inner_text()
    assert said.startswith("What speaks for 7: mean ")
    numbers = [
        float(part.replace("\N{MINUS SIGN}", "-")) for part in said.split() if part[-1].isdigit()
    ]
    mean, bias, score = numbers[-3:]
    assert mean + bias == pytest.approx(score, abs=1e-2 + 1e-3 * abs(score))


def test_the_page_speaks_chinese(tab, site):
    page = opened(tab, site, DIGITS, "?lang=zh")
    assert "特征图" in page.locator(".stage h3").first.inner_text()


def test_a_narrow_screen_holds_the_page(tab, site):
    tab.set_viewport_size({"width": 320, "height": 700})
    page = opened(tab, site, PHOTOGRAPHS)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("name", [DIGITS, PHOTOGRAPHS])
def test_nothing_serious_is_wrong_for_those_who_hear_the_page(tab, site, name):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = axe.Axe().run(opened(tab, site, name)).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []


@pytest.mark.parametrize("name", stored.names())
def test_every_live_network_answers(tab, site, name):
    page = opened(tab, site, name)
    assert page.locator(".mosaic").count() == len(stored.program(name)["stages"])
    shades = page.locator("canvas.read").evaluate(
        "canvas => new Set(canvas.getContext('2d').getImageData("
        "0, 0, canvas.width, canvas.height).data).size"
    )
    assert shades > 3  # something is shown to it
