"""Networks that run in the page: the interpreter's values are torch's, at every stage; a value
taken apart gives itself; pictures are read as in training.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load
from torch import nn

import convatlas
from benchmarks import ledger, live
from convatlas.data import Preprocess
from convatlas.errors import Error
from convatlas.explorer import contents
from convatlas.explorer.live import engine, pages, program, stored

LIMIT = 1e-5  # of the largest value of a stage
QUICK = 60  # operations of a program that is written in a few seconds
NAMES = stored.names()
WORDS = Path(pages.__file__).parents[1] / "static" / "words"

WEB = f"onnxruntime-web@{engine.VERSION}"
PACKAGE = "CONVATLAS_ORT_WEB"  # the package as npm pack writes it, or its folder

RUN = """async ([root, name, input]) => {
  const at = (path) => new URL(path, root).href;
  const { run, activationMap, scores } = await import(at("static/live/interpreter.js"));
  const { tensors } = await import(at("static/live/safetensors.js"));
  const { takenApart, byHand } = await import(at("static/live/value.js"));
  const { program } = await (await fetch(at(`data/live/${name}.json`))).json();
  const file = await fetch(at(`data/live/${name}.safetensors`));
  const weights = tensors(await file.arrayBuffer());
  const values = run(program, weights, Float32Array.from(input));
  const stages = [...program.stages, ["", program.ops.length]];
  const apart = [];
  let chance = 1;
  for (let number = 1; number < values.length; number++)
    for (let turn = 0; turn < 2; turn++) {
      chance = (chance * 48271) % 2147483647;
      const place = chance % values[number].data.length;
      const found = takenApart(program, weights, values, number, place);
      if (found.join === "function") continue;
      const largest = values[number].data.reduce((most, one) => Math.max(most, Math.abs(one)), 0);
      apart.push([found.op.op, Math.abs(byHand(found) - found.answer) / (largest || 1)]);
    }
  const maps = Array.from(scores(values), (_, one) => activationMap(program, weights, values, one));
  return {
    stages: stages.map(([stage, value]) => [stage, Array.from(values[value].data)]),
    apart,
    maps: maps[0] ? maps.map(({ data, bias }) => [Array.from(data), bias]) : null,
  };
}"""


@pytest.fixture(scope="module")
def site(serve):
    return serve(contents.site())


def network(name: str) -> nn.Module:
    """The network with the weights that the page has."""
    about = stored.about(name)
    net = convatlas.create_model(
        name, num_classes=len(about["classes"]), in_channels=about["preprocess"]["channels"]
    )
    weights = {key: tensor.float() for key, tensor in load(stored.weights(name)).items()}
    missing, unexpected = net.load_state_dict(weights, strict=False)
    assert not unexpected and all(key.endswith("num_batches_tracked") for key in missing)
    return net.eval()


def picture(name: str) -> torch.Tensor:
    """Something like what the network was trained on, (1, channels, side, side)."""
    about = stored.about(name)
    prep = Preprocess.from_dict(about["preprocess"])
    chance = torch.Generator().manual_seed(7)
    coarse = torch.rand(1, prep.channels, 6, 6, generator=chance) * 255
    fine = nn.functional.interpolate(coarse, (prep.side, prep.side), mode="bilinear")
    return prep.normalise(fine.round())


@pytest.mark.parametrize("name", NAMES)
def test_the_page_computes_what_torch_does_at_every_stage(tab, site, name):
    net, x = network(name), picture(name)
    with torch.no_grad():
        expected = {**convatlas.features(net, x), "": net(x)}
    tab.goto(f"{site}live/index.html")
    found = tab.evaluate(RUN, [site, name, x.flatten().tolist()])
    assert [stage for stage, _ in found["stages"]] == [*net.stages, ""]
    for stage, values in found["stages"]:
        truth = expected[stage].flatten().double()
        error = (torch.tensor(values, dtype=torch.float64) - truth).abs().max()
        assert error <= LIMIT * truth.abs().max(), (stage, float(error / truth.abs().max()))
    assert max(error for _, error in found["apart"]) <= 1e-6
    if found["maps"] is not None:
        for one, (values, bias) in enumerate(found["maps"]):
            logit = float(expected[""][0, one])
            scale = float(np.abs(values).mean()) + abs(logit)
            assert abs(np.mean(values) + bias - logit) <= LIMIT * scale


@pytest.mark.parametrize(
    "name",
    [
        name
        if len(stored.program(name)["ops"]) <= QUICK
        else pytest.param(name, marks=[pytest.mark.slow, pytest.mark.full])
        for name in NAMES
    ],
)
def test_a_program_is_what_would_be_written_now(name):
    about = stored.about(name)
    net = convatlas.create_model(
        name, num_classes=len(about["classes"]), in_channels=about["preprocess"]["channels"]
    )
    side = about["preprocess"]["side"]
    written = program.of(net, (net.in_channels, side, side), name)
    assert json.loads(json.dumps(written)) == stored.program(name)


def test_twelve_networks_in_eight_megabytes():
    assert len(NAMES) >= 12
    assert sum(len(stored.weights(name)) for name in NAMES) <= 8_000_000


@pytest.mark.parametrize("name", NAMES)
def test_what_is_said_of_a_network_is_whole(name):
    about = stored.about(name)
    assert about["bytes"] == len(stored.weights(name))
    assert about["network"] == name
    assert 0 < about["test"]["correct"] <= about["test"]["count"]
    assert about["licence"] and about["recipe"] and about["commit"]
    assert about["data"] in pages.SETS and about["data"] in pages.IDEAS


def test_a_row_that_is_shown_is_of_the_ledger(monkeypatch, tmp_path):
    """The weights' own run is among those of the row; another recipe, commit or seed is not."""
    for name in NAMES:
        about = stored.about(name)
        rows = [row for row in ledger.read(live.LEDGER) if live.is_row_of(row, about)]
        kept = [{key: row[key] for key in live.KEPT} for row in rows]
        assert about.get("ledger") in (kept or [None])
    about = stored.about("lenet5")
    same = {
        "network": "lenet5",
        "data": {"name": "mnist"},
        "recipe": about["recipe"],
        "commit": about["commit"],
        "seeds": [0, 1, 2],
        "n": 10_000,
        "error": {"mean": 0.933, "spread": 0.0941},
        "paper": {"error": 0.95, "source": "<Sec. III>"},
    }
    others = [same | {"commit": "0" * 12}, same | {"seeds": [1]}, same | {"recipe": "modern"}]
    assert live.is_row_of(same, about)
    assert not any(live.is_row_of(other, about) for other in others)
    (tmp_path / "lenet5.json").write_text(json.dumps(about))
    monkeypatch.setattr(stored, "FOLDER", tmp_path)
    monkeypatch.setattr(ledger, "read", lambda path: [*others, same])
    live.rows()
    assert stored.about("lenet5") == about | {"ledger": {key: same[key] for key in live.KEPT}}
    page = pages.page("lenet5").decode()
    assert "0.93 ± 0.09 %" in page and "0.95 % (&lt;Sec. III&gt;)" in page
    same |= {"seeds": [0], "error": ledger.errors([93], 10_000), "paper": None}
    live.rows()
    assert " 0.93 % (" in pages.page("lenet5").decode()


def test_no_picture_of_a_data_set_is_kept():
    kinds = {path.suffix for path in stored.FOLDER.parent.rglob("*") if path.is_file()}
    assert kinds - {".pyc"} == {".py", ".json", ".safetensors"}


def test_weights_of_no_network_are_refused_by_name():
    with pytest.raises(Error, match=r"no weights of resnet50 run in the page; those of .*lenet"):
        stored.weights("resnet50")


class Odd(nn.Module):
    """A network with an operation that no interpreter of ours has."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)

    def forward(self, x):
        return torch.cumsum(self.conv(x), 2).mean((2, 3))


def test_an_operation_that_is_not_known_is_named():
    with pytest.raises(Error, match=r"cumsum.*does not know.*--to onnx"):
        program.of(Odd(), (1, 8, 8))


class Every(nn.Module):
    """Operations in forms that few networks have."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(
            3, 4, (3, 2), stride=(2, 1), padding=(1, 2), dilation=(1, 2), bias=False
        )
        self.most = nn.MaxPool2d(3, 2, padding=1, ceil_mode=True)
        self.mean = nn.AvgPool2d(2, 1, padding=1)
        self.inside = nn.AvgPool2d(3, 2, padding=1, count_include_pad=False, ceil_mode=True)
        self.norm = nn.BatchNorm2d(4, affine=False)
        self.fc = nn.LazyLinear(5)

    def forward(self, x):
        x = self.norm(self.most(self.conv(x)))
        y = nn.functional.pad(x, (1, 0, 0, 2, 0, 0), value=-1.5)[:, :, 1:-1, 1:]
        y = nn.functional.relu6(self.mean(torch.cat([x, y], 1)[:, 2:6]))
        left, right = self.inside(y).chunk(2, 1)
        return self.fc(
            torch.cat([left * right.sigmoid().mean((2, 3), keepdim=True), left], 1).flatten(1)
        )


def test_rare_settings_are_run_as_torch_does(tab, site):
    torch.manual_seed(3)
    net = Every()
    net.norm.running_mean.uniform_(-1, 1)
    net.norm.running_var.uniform_(0.5, 2)
    net.eval()
    x = torch.randn(1, 3, 11, 10)
    with torch.no_grad():
        expected = net(x).flatten()
    made = program.of(net, (3, 11, 10))
    weights = {name: tensor.flatten().tolist() for name, tensor in net.state_dict().items()}
    tab.goto(f"{site}live/index.html")
    found = tab.evaluate(
        """async ([root, program, kept, input]) => {
          const { run, scores } = await import(new URL("static/live/interpreter.js", root).href);
          const weights = Object.fromEntries(Object.entries(kept).map(([name, about]) =>
            [name, { data: Float32Array.from(about) }]));
          return Array.from(scores(run(program, weights, Float32Array.from(input))));
        }""",
        [site, made, weights, x.flatten().tolist()],
    )
    assert torch.allclose(torch.tensor(found), expected, rtol=1e-5, atol=1e-6)


ENGINE = """async ([root, name, input]) => {
  const at = (path) => new URL(path, root).href;
  const { runtime, stagesOf, difference } = await import(at("static/live/engine.js"));
  const { run } = await import(at("static/live/interpreter.js"));
  const { tensors } = await import(at("static/live/safetensors.js"));
  const { program } = await (await fetch(at(`data/live/${name}.json`))).json();
  const file = await fetch(at(`data/live/${name}.safetensors`));
  const weights = tensors(await file.arrayBuffer());
  const values = run(program, weights, Float32Array.from(input));
  const { stages } = await stagesOf(await runtime(), program, weights, values[0].data);
  return [stages.length, difference(stages, values)];
}"""


@pytest.fixture(scope="module")
def site_with_engine(serve):
    package = os.environ.get(PACKAGE)
    if not package:
        pytest.skip(f"onnxruntime-web is not here; npm pack {WEB} and name the .tgz in {PACKAGE}")
    return serve(contents.site() | engine.files(Path(package)))


@pytest.mark.parametrize("name", NAMES)
def test_onnxruntime_computes_the_same_in_the_page(tab, site_with_engine, name):
    site = site_with_engine
    tab.goto(f"{site}live/{stored.names()[0]}.html")
    count, error = tab.evaluate(ENGINE, [site, name, picture(name).flatten().tolist()])
    assert count >= len(stored.program(name)["stages"])
    assert error <= LIMIT


def test_another_package_is_refused(tmp_path):
    with pytest.raises(Error, match=r"does not hold ort\.wasm\.min\.mjs.*npm pack"):
        engine.files(tmp_path)
    for name in engine.FILES:
        (tmp_path / name).write_text("other")
    with pytest.raises(Error, match=rf"is not that of onnxruntime-web {engine.VERSION}"):
        engine.files(tmp_path)
    (tmp_path / "p.tgz").write_text("no archive")
    with pytest.raises(Error, match=r"is no package of onnxruntime-web"):
        engine.files(tmp_path / "p.tgz")


PREPS = [
    ("pad", 32, 28, 1, (28, 28)),
    ("pad", 32, 28, 1, (50, 37)),
    ("pad", 28, 28, 1, (9, 14)),
    ("resize", 64, 64, 3, (100, 100)),
    ("resize", 32, 32, 3, (97, 141)),
    ("resize", 32, 40, 3, (60, 55)),
    ("whole", 48, 48, 3, (300, 41)),
    ("squash", 32, 37, 1, (64, 120)),
    ("resize", 96, 96, 3, (50, 61)),
]


@pytest.mark.parametrize(("fit", "side", "content", "channels", "size"), PREPS)
def test_pictures_are_read_as_in_training(tab, site, fit, side, content, channels, size):
    prep = Preprocess(channels, side, (0.4,) * channels, (0.3,) * channels, fit, content)
    chance = torch.Generator().manual_seed(sum(size))
    picture = torch.randint(0, 256, (3, *size), generator=chance, dtype=torch.uint8)
    tab.goto(f"{site}live/index.html")
    found = tab.evaluate(
        """async ([root, prep, [height, width], data]) => {
          const { fitted } = await import(new URL("static/live/picture.js", root).href);
          const picture = { height, width, channels: 3, data: Float32Array.from(data) };
          return Array.from(fitted(picture, prep).data);
        }""",
        [site, prep.to_dict(), size, picture.flatten().tolist()],
    )
    difference = np.abs(np.array(found) - prep.fit_image(picture).flatten().numpy().astype(float))
    assert difference.max() <= 1
    assert difference.mean() <= 0.1


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_operation_has_a_word(language):
    words = json.loads((WORDS / f"{language}.json").read_text())
    used = {op["op"] for name in NAMES for op in stored.program(name)["ops"]}
    assert {f"live.op.{op}" for op in used} <= words.keys()
