"""The diff in the browser: any two networks, the blocks, words and costs of `convatlas diff`."""

import json
import random
from itertools import pairwise

import pytest

from convatlas import registry, stored_walks
from convatlas.anatomy.table import by
from convatlas.anatomy.wording import ranges
from convatlas.cli import differences
from convatlas.explorer import contents

NAMES = sorted(registry.stored_facts())
CHOSEN = [  # what a random pair may not hold
    ("lenet5", "lenet5"),
    ("resnet50", "resnet50_v15"),
    ("densenet121", "densenet121_checkpointed"),  # the same in evaluation
    ("vgg16", "vgg16_bn"),
    ("mobilenet_v1", "mobilenet_v2"),  # aligned by place
    ("mobilenet_v2", "mobilenet_v3_large"),
    ("lenet1989", "lenet5_tutorial"),
    ("efficientnet_b0", "efficientnet_b7"),  # another image
    ("googlenet", "inception_v3"),
    ("resnet1001_cifar", "mobilenet_v3_small"),
    ("convnext_tiny", "resnet50"),
    ("senet18_tutorial", "resnet44_cifar"),  # branches in another order
]
COMPARE = """async (pairs) => {
  const { walkOf } = await import("/static/diff/page.js");
  const { compare } = await import("/static/diff/comparing.js");
  const { toRecord } = await import("/static/diff/difference.js");
  const { summary } = await import("/static/diff/difference_words.js");
  const found = [];
  for (const [a, b] of pairs) {
    const told = compare(await walkOf(a), await walkOf(b));
    found.push(toRecord(told, summary(told)));
  }
  return JSON.stringify(found);
}"""


RANGES = """async (lists) => {
  const { ranges } = await import("/static/diff/wording.js");
  return lists.map((each) => ranges(each));
}"""
NUMBERS = """async (values) => {
  const { fixed, general, repr, signed, thousands } = await import("/static/diff/python.js");
  return values.map((x) => [
    general(x, 6), general(x, 3), repr(x), fixed(Math.abs(x), 2), signed(x), thousands(x),
  ]);
}"""


def drawn(count: int) -> list[tuple[str, str]]:
    chosen = random.Random(200)
    return [(chosen.choice(NAMES), chosen.choice(NAMES)) for _ in range(count)]


@pytest.fixture(scope="module")
def site(serve):
    return serve(contents.site())


def of_browser(tab, site, pairs):
    tab.goto(f"{site}diff.html")
    tab.set_default_timeout(0)
    return json.loads(tab.evaluate(COMPARE, pairs))


def of_terminal(a: str, b: str) -> dict:
    return json.loads(json.dumps(differences._record(differences.compared(a, b))))


@pytest.mark.slow
@pytest.mark.parametrize(
    "pairs",
    [
        pytest.param(CHOSEN, id="chosen"),
        pytest.param(drawn(50), id="random"),
        pytest.param(drawn(200), id="more", marks=pytest.mark.full),
    ],
)
def test_the_browser_tells_what_the_terminal_tells(tab, site, pairs):
    """Random pairs of all networks: the first fifty of two hundred, which `make test-all` takes."""
    for pair, told in zip(pairs, of_browser(tab, site, pairs), strict=True):
        assert told == of_terminal(*pair), pair


def test_places_are_put_in_short_as_in_python(tab, site):
    paths = [
        ["conv3_x.1", "conv3_x.2", "conv3_x.3"],
        ["conv3_x.0", "conv4_x.0", "conv5_x.0"],
        ["a", "a", "b.9", "b.10", "b.12"],
        ["stage2.0.branch", "stage2.1.branch", "stage4"],
        [],
    ]
    tab.goto(f"{site}diff.html")
    assert tab.evaluate(RANGES, paths) == [list(ranges(each)) for each in paths]


def test_numbers_are_written_as_in_python(tab, site):
    chosen = random.Random(3)
    values = [
        0.8125,
        1.125,
        0.375,
        0.00390625,
        1e-05,
        0.001,
        2.5,
        1e22,
        1.5e-7,
        123456.5,
        1234567.5,
        -0.1,
        0.3,
    ]
    values += [chosen.uniform(-1, 1) * 10 ** chosen.randint(-12, 20) for _ in range(300)]
    floats = [x for x in values if not x.is_integer()]
    whole = [0, 7, -84, 999, 1000, -1000, 25557032, 4089184256, 10**15]
    tab.goto(f"{site}diff.html")
    told = tab.evaluate(NUMBERS, [*floats, *whole])
    for value, texts in zip(floats, told, strict=False):
        assert texts[:4] == [f"{value:.6g}", f"{value:.3g}", repr(value), f"{abs(value):.2f}"]
    for value, texts in zip(whole, told[len(floats) :], strict=True):
        assert texts[:3] == [f"{value:.6g}", f"{value:.3g}", repr(value)]
        assert texts[4:] == [f"{value:+,}", f"{value:,}"]


def rows(tab) -> list[list[str]]:
    return [
        [cell.strip() for cell in row.locator("td").all_inner_texts()]
        for row in tab.locator(".changes tr:not(.place)").all()
        if row.locator("td").count()
    ]


def test_the_page_shows_each_change_with_its_cost(tab, site):
    tab.goto(f"{site}diff.html?a=resnet50&b=resnet50_v15")
    tab.locator(".changes").wait_for()
    assert rows(tab) == [
        ["branch.conv1: 1x1 conv", "stride 2", "stride 1", "", "+231,211,008"],
        ["branch.conv2: 3x3 conv", "stride 1", "stride 2", "", ""],
    ]
    place = tab.locator(".place a")
    assert place.inner_text() == "conv3-5_x.0"
    assert place.get_attribute("href") == "networks/resnet50.html#conv3_x.0"
    facts = tab.locator("dl.facts").inner_text()
    assert "3,857,973,248 → 4,089,184,256 +231,211,008" in " ".join(facts.split())


def test_three_networks_are_two_steps(tab, site):
    names = ["mobilenet_v1", "mobilenet_v2", "mobilenet_v3_large"]
    tab.goto(f"{site}diff.html?a={names[0]}&b={names[1]}&c={names[2]}")
    tab.locator(".step").nth(1).wait_for()
    titles = tab.locator(".step h2").all_inner_texts()
    assert titles == [f"{a} → {b}" for a, b in pairwise(names)]
    tab.get_by_role("button", name="Reverse").click()
    tab.get_by_role("heading", name=f"{names[2]} → {names[1]}").wait_for()


def test_networks_are_chosen_by_keyboard(tab, site):
    tab.goto(f"{site}diff.html")
    tab.get_by_text("Choose two networks.").wait_for()
    for side, name in (("a", "vgg16"), ("b", "vgg16_bn")):
        tab.locator(f"#diff-{side}-box").focus()
        tab.keyboard.type(name.replace("_", " "))
        tab.locator(f"#diff-{side}-list [role=option]").first.wait_for()
        tab.keyboard.press("Enter")
        tab.get_by_role("link", name=name, exact=True).wait_for()
    tab.get_by_role("heading", name="vgg16 → vgg16_bn").wait_for()
    assert "a=vgg16&b=vgg16_bn" in tab.url


def test_a_name_that_is_none_is_said(tab, site):
    tab.goto(f"{site}diff.html?a=resnet50&b=resnet5")
    tab.get_by_text("There is no network called resnet5; choose one from the list.").wait_for()


def test_networks_that_compute_the_same(tab, site):
    tab.goto(f"{site}diff.html?a=densenet121&b=densenet121_checkpointed&lang=zh")
    tab.get_by_text("在推理时的计算完全一样").wait_for()


def test_the_walks_of_the_site_are_those_of_the_index():
    files = contents.site()
    words = json.loads(files["data/walks/words.json"]())
    for name in ("lenet5", "resnet50", "nasnet_a_4_1056"):
        record = json.loads(files[f"data/walks/{name}.json"]())
        record["words"] = [words[place] for place in record["words"]]
        assert record == stored_walks.record(name)
        assert by(record["size"]) == by(registry.stored_facts()[name]["input_size"])
