"""The network of a run, alive beside the run's page: its own weights, its own answers."""

import json

import pytest
import torch
from safetensors.torch import load

from convatlas import create_model
from convatlas.data import Preprocess
from convatlas.explorer import contents, run_page
from convatlas.explorer.live import of_run
from convatlas.model_description import describe_model
from convatlas.model_file import weights_file
from convatlas.narrowing.groups import dissected
from convatlas.narrowing.surgery import cut, widths
from convatlas.training import builtin, train

GREY, COLOUR = (Preprocess(n, 32, (0.1,) * n, (0.3,) * n, "pad", 28) for n in (1, 3))
TEN = tuple("0123456789")


def folder_of(place, network="lenet5", prep=GREY, classes=TEN, data="digits"):
    """What a finished run of fresh weights holds."""
    net = create_model(network, num_classes=len(classes), in_channels=prep.channels)
    weights = weights_file(net.state_dict())
    (place / "model.safetensors").write_bytes(weights)
    (place / "model.json").write_text(
        describe_model(network, classes, prep, {"commit": "0" * 40}, weights)
    )
    (place / "metrics.json").write_text(json.dumps({"data": data}))
    return place


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The README's demo: digits that the run has learnt."""
    folder = tmp_path_factory.mktemp("live") / "digits"
    train(builtin.read("lenet5_digits").change(epochs=12), folder)
    return folder


@pytest.mark.slow
def test_the_run_reads_what_is_drawn(serve, tab, trained):
    site = serve(contents.site() | run_page.files(trained))
    tab.goto(f"{site}{run_page.WHERE}")
    tab.get_by_text("The network of this run, live").click()
    tab.locator(".says").wait_for()
    right = 0
    for digit in TEN:
        tab.get_by_role("button", name=f"Example: {digit}", exact=True).press("Enter")
        right += tab.locator(".says").inner_text().startswith(f"{digit},")
    assert right >= 8
    tab.get_by_role("button", name="Clear").click()
    assert tab.locator("canvas.pad").count() == 1


def test_what_the_page_runs_is_the_run(tmp_path):
    files = run_page.files(folder_of(tmp_path))
    kept = json.loads(files["data/live/run.json"]())
    assert kept["about"] == {
        "network": "lenet5",
        "classes": list(TEN),
        "preprocess": GREY.to_dict(),
        "data": "digits",
    }
    assert kept["program"]["network"] == "lenet5" and kept["program"]["input"] == [1, 32, 32]
    weights = load(files["data/live/run.safetensors"]())
    own = load((tmp_path / "model.safetensors").read_bytes())
    assert all(torch.equal(weights[name], own[name]) for name in own)
    assert of_run.WHERE in files[run_page.WHERE]().decode()


def test_a_run_on_pictures_asks_for_a_picture(serve, tab, tmp_path):
    folder = folder_of(tmp_path, prep=COLOUR, classes=("<cat>", "dog"), data="pets")
    site = serve(contents.site() | run_page.files(folder))
    tab.goto(f"{site}{of_run.WHERE}")
    tab.locator("input[type=file]").wait_for()
    assert tab.locator(".examples").count() == tab.locator("canvas.pad").count() == 0
    picture = tab.screenshot()
    tab.set_input_files(
        "input[type=file]", {"name": "a.png", "mimeType": "image/png", "buffer": picture}
    )
    tab.locator(".says").wait_for()
    assert tab.locator("tbody th").all_inner_texts() == ["<cat>", "dog"]


def test_of_many_classes_the_likeliest_are_listed(serve, tab, tmp_path):
    classes = tuple(f"class {i}" for i in range(70))
    folder = folder_of(tmp_path, "resnet20_cifar", COLOUR, classes, "mine")
    site = serve(contents.site() | run_page.files(folder))
    tab.goto(f"{site}{of_run.WHERE}")
    picture = tab.screenshot()
    tab.set_input_files(
        "input[type=file]", {"name": "a.png", "mimeType": "image/png", "buffer": picture}
    )
    tab.locator(".says").wait_for()
    cells = tab.locator(".answer td:nth-child(2)").all_inner_texts()
    shares = [float(cell.removesuffix(" %")) for cell in cells]
    assert len(shares) == 20 and shares == sorted(shares, reverse=True)
    first = tab.locator(".answer tbody th").first.inner_text()
    assert tab.locator(".says").inner_text().startswith(f"{first},")
    assert tab.get_by_text("The 20 likeliest of 70 classes.").is_visible()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_is_fit_for_a_narrow_screen_and_for_those_who_hear_it(serve, tab, tmp_path, language):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    site = serve(contents.site() | run_page.files(folder_of(tmp_path)))
    tab.set_viewport_size({"width": 320, "height": 700})
    for where, ready in ((run_page.WHERE, ".facts"), (of_run.WHERE, ".says")):
        tab.goto(f"{site}{where}?lang={language}")
        tab.locator(ready).wait_for()
        assert tab.evaluate("document.documentElement.scrollWidth") <= 320
        found = axe.Axe().run(tab).response["violations"]
        assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []


def test_a_narrowed_network_runs_with_the_widths_that_it_has(tmp_path):
    prep = Preprocess(3, 32, (0.5,) * 3, (0.2,) * 3, "resize", 32)
    whole = create_model("mobilenet_v1_x0_25", num_classes=2).eval()
    group = dissected(whole, (3, 32, 32)).narrowable[0]
    net = cut(whole, group.keeps(group.choices[0]))
    content = weights_file(net.state_dict())
    (tmp_path / "model.safetensors").write_bytes(content)
    text = describe_model(net.name, ("a", "b"), prep, {}, content, widths(net, whole))
    (tmp_path / "model.json").write_text(text)
    files = run_page.files(tmp_path)
    ops = json.loads(files["data/live/run.json"]())["program"]["ops"]
    state = load(files["data/live/run.safetensors"]())
    first = next(op for op in ops if op["op"] == "conv")
    made, kept = (held[first["weight"]] for held in (whole.state_dict(), state))
    assert torch.equal(kept, net.state_dict()[first["weight"]])
    assert first["output"][0] == len(kept) < len(made)


def test_a_run_that_was_trained_once_more_is_shown_as_it_is(tmp_path):
    files = run_page.files(folder_of(tmp_path))
    folder_of(tmp_path, classes=("a", "b", "c"), data="mine")
    assert "Drop a picture" in files[of_run.WHERE]().decode()
    about = json.loads(files["data/live/run.json"]())["about"]
    assert (about["classes"], about["data"]) == (["a", "b", "c"], "")
    weights = load(files["data/live/run.safetensors"]())
    assert [len(tensor) for name, tensor in weights.items() if name.endswith("codes")] == [3]


def test_weights_that_are_damaged_meanwhile_are_said(serve, tab, tmp_path):
    site = serve(contents.site() | run_page.files(folder_of(tmp_path)))
    (tmp_path / "model.safetensors").write_bytes(b"nothing")
    tab.goto(f"{site}{of_run.WHERE}")
    assert "copy" in tab.get_by_role("alert").inner_text()


def test_a_network_that_is_too_large_has_no_live_page(tmp_path):
    prep = Preprocess(3, 224, (0.5,) * 3, (0.2,) * 3, "resize", 224)
    files = run_page.files(folder_of(tmp_path, "resnet18", prep))
    assert of_run.WHERE not in files
    assert of_run.WHERE not in files[run_page.WHERE]().decode()


def test_an_operation_that_the_page_lacks_is_said(tmp_path, monkeypatch):
    from convatlas.explorer.live import operations

    monkeypatch.delitem(operations.WRITERS, "conv2d", raising=False)
    page = run_page.files(folder_of(tmp_path))[of_run.WHERE]().decode()
    assert "role=alert" in page and "id=live" not in page
