"""Tours as a reader takes them: in Chromium."""

import pytest

from convatlas.explorer import contents, pictures


@pytest.fixture(scope="module")
def site(serve):
    return serve(contents.site() | pictures.every_unit())


def test_a_link_moves_what_stands_beside_the_text(tab, site):
    tab.goto(f"{site}tours/mobilenet.html")
    tab.locator(".shown tr.lit").wait_for()
    assert tab.locator(".shown h2 a").inner_text() == "mobilenet_v1"
    tab.locator('a[data-address="mobilenet_v3_large#bneck4"]').click()
    tab.locator(".shown h2", has_text="mobilenet_v3_large").wait_for()
    assert tab.locator(".shown tr.lit").get_attribute("id") == "bneck4"
    assert tab.url.endswith("tours/mobilenet.html")
    assert tab.locator("a[data-here]").count() == 1


def test_the_drawing_has_its_colours_and_the_name_stands_above_it(tab, site):
    tab.goto(f"{site}tours/vgg_to_resnet.html")
    tab.locator(".shown h2").wait_for()  # until then a link is followed
    tab.locator('a[data-address="resnet34#conv3_x.0"]').click()
    box = tab.locator('.shown svg [data-path="conv3_x"] rect').first
    box.wait_for()
    assert box.evaluate("box => getComputedStyle(box).fill") != "rgb(0, 0, 0)"
    lit = tab.locator(".shown svg .lit")
    assert lit.first.get_attribute("data-path") == "conv3_x.0"
    head = tab.locator(".shown h2").bounding_box()
    at = [head["x"] + 5, head["y"] + head["height"] / 2]
    assert tab.evaluate("([x, y]) => document.elementFromPoint(x, y).tagName", at) in ("H2", "A")


def test_a_printed_number_is_shown_with_its_reason(tab, site):
    tab.goto(f"{site}tours/zh/misprints.html")
    tab.locator(".shown h2").wait_for()  # until then a link is followed
    tab.locator('a[data-address^="alexnet#claim-"]').focus()
    tab.keyboard.press("Enter")
    tab.locator(".shown .lit", has_text="253,440").wait_for()
    assert "55 x 48 x 96" in tab.locator(".shown .why").inner_text()


def test_in_a_narrow_window_a_link_is_followed(tab, site):
    tab.set_viewport_size({"width": 400, "height": 800})
    tab.goto(f"{site}tours/shuffle.html")
    tab.locator('a[data-address="shufflenet_v1_g3#Stage2.1"]').first.click()
    tab.wait_for_url("**/networks/shufflenet_v1_g3.html#Stage2.1")


def test_nothing_is_wider_than_the_window(tab, site):
    for width in (320, 1000, 1280):
        tab.set_viewport_size({"width": width, "height": 800})
        tab.goto(f"{site}tours/c3_table.html")
        assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_a_tour_has_its_twin_in_the_other_language(tab, site):
    tab.goto(f"{site}tours/shuffle.html")
    tab.locator(".way a[hreflang=zh]").click()
    tab.wait_for_url("**/tours/zh/shuffle.html")
    assert tab.locator("h1").inner_text() == "通道混洗"
