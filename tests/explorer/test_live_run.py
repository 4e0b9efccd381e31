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
    tab.get_by_text("the network of this run answers").click()
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
