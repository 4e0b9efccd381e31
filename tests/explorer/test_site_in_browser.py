"""The pages as a reader meets them: in Chromium, by pointer and by keyboard."""

import pytest

from convatlas.explorer import contents


@pytest.fixture(scope="module")
def site(serve):
    return serve(contents.site())


def test_a_row_lights_what_it_speaks_of(tab, site):
    tab.goto(f"{site}networks/resnet50.html#conv3_x.2")
    row = tab.locator("tr.lit")
    row.wait_for()
    assert row.get_attribute("id") == "conv3_x.1"


def test_the_search_opens_a_network_by_keyboard(tab, site):
    tab.goto(f"{site}index.html")
    tab.keyboard.press("/")
    tab.keyboard.type("mobilenet v2")
    tab.locator("#bar-list [role=option]").first.wait_for()
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/networks/mobilenet_v2.html")


def test_the_interface_speaks_chinese(tab, site):
    tab.goto(f"{site}networks/lenet5.html")
    tab.locator("button.language").click()
    tab.locator("html[lang=zh-Hans]").wait_for()
    assert tab.locator(".facts dt").first.inner_text() == "参数量"
