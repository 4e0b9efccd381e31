"""A trained network goes to the hub and comes back: its card, its files, a hub on this machine."""

import base64
import json
import re
import threading
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

import convatlas
from convatlas.cli import run as command
from convatlas.errors import ModelFileError, PublishingError, WeightsError
from convatlas.model_file import Saved
from convatlas.publishing.card import card
from convatlas.publishing.facts import Facts
from convatlas.publishing.front_matter import front_matter

COMMIT = "0123456789abcdef0123456789abcdef01234567"
SHORT = {"network": "lenet1989", "data": "digits", "epochs": 1, "warmup_epochs": 0}
HOSTILE = 'cat | `x` <b>\n---\n"license": mit [a](b)'


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A finished run on the built-in digits."""
    run = tmp_path_factory.mktemp("runs") / "lenet"
    convatlas.train("modern", run, callback=convatlas.Callback(), **SHORT)
    return run


@pytest.fixture
def head():
    """head(text) -> the YAML in front of a card, as the hub's own client reads it."""
    cards = pytest.importorskip("huggingface_hub", reason="the extra hub")

    def read(text: str) -> dict:
        return cards.ModelCard(text).data.to_dict()

    return read


def metrics_of(run) -> dict:
    return json.loads((run / "metrics.json").read_text())


def test_the_head_says_what_the_hub_reads_and_the_result_is_the_runs(trained, head):
    text = convatlas.model_card(trained, "me/lenet", "apache-2.0")
    found = head(text)
    assert found["library_name"] == "convatlas"
    assert found["license"] == "apache-2.0"
    assert {"convatlas", "lenet1989", "image-classification"} <= {*found["tags"]}
    assert found["metrics"] == ["accuracy"]
    (model,) = found["model-index"]
    (result,) = model["results"]
    assert result["dataset"]["name"] == "digits"
    values = {metric["type"]: metric["value"] for metric in result["metrics"]}
    test = metrics_of(trained)["test"]
    assert values == {"accuracy": test["accuracy"], "top_5_accuracy": test["top5"]}


def test_the_body_says_how_it_is_used_how_good_and_how_it_was_made(trained):
    text = convatlas.model_card(trained, "me/lenet")
    metrics = metrics_of(trained)
    for part in (
        'convatlas.from_pretrained("me/lenet")',
        f"| test accuracy | {100 * metrics['test']['accuracy']:.2f} % |",
        f"| test pictures | {metrics['test']['count']} |",
        f"| seed | `{metrics.get('seed', 0)}` |",
        f"`{metrics['fingerprint']}`",
        f"`{metrics['provenance']['torch']}`",
        "10 classes a picture shows: `0`, `1`",
        "None was given. Ask whoever published",
        "in convatlas's ledger",
    ):
        assert part in text


def test_five_guesses_among_five_classes_are_no_result(trained, head):
    saved = convatlas.load_model(trained)
    for count, is_told in ((6, True), (5, False)):
        few = Saved(saved.net, saved.network, saved.classes[:count], saved.preprocess, {})
        text = card(Facts(few, test=metrics_of(trained)["test"]))
        (result,) = head(text)["model-index"][0]["results"]
        assert ("top_5_accuracy" in str(result)) == ("top-5 accuracy" in text) == is_told


def test_a_set_that_the_hub_has_is_named_as_there(trained, head, monkeypatch):
    saved = convatlas.load_model(trained)
    saved.provenance["data"] = "mnist"
    found = head(convatlas.model_card(saved))
    assert found["datasets"] == ["ylecun/mnist"]
    assert "model-index" not in found
    assert "No result on test pictures is known" in convatlas.model_card(saved)


def test_names_that_others_chose_say_nothing_of_their_own(trained, head):
    saved = convatlas.load_model(trained)
    saved.provenance["data"] = HOSTILE
    saved.provenance["device"] = HOSTILE
    named = convatlas.Saved(
        saved.net, saved.network, (HOSTILE, *saved.classes[1:]), saved.preprocess, saved.provenance
    )
    text = convatlas.model_card(named)
    assert "license" not in head(text)
    body = text.split("---\n", 2)[2]
    assert re.search(r"^---$|^\"license", body, re.MULTILINE) is None
    bare = re.sub(r"`[^`\n]*`", "", re.sub(r"```.*?```", "", body, flags=re.DOTALL))
    assert "<b>" not in bare
    assert "](b)" not in bare


@pytest.mark.parametrize("text", ["a: b", "- x", "#", "yes", "1e3", "'", '"', "\n---\n", "é\u2028"])
def test_every_text_in_the_head_is_read_back_as_it_is(text):
    yaml = pytest.importorskip("yaml", reason="the extra hub")
    about = {"a": text, "b": [text, {"c": text, "d": [1.5, True]}], "e": {"f": text}, "none": ""}
    inside = front_matter(about).removeprefix("---\n").removesuffix("---\n")
    del about["none"]
    assert yaml.safe_load(inside) == about


def test_the_files_are_read_back_without_a_network_and_answer_alike(trained, tmp_path):
    where = convatlas.push_to_hub(trained, "me/lenet", folder=tmp_path / "files")
    assert where == str(tmp_path / "files")
    names = {file.name for file in (tmp_path / "files").iterdir()}
    assert names == {"README.md", "model.json", "model.safetensors", "recipe.toml"}
    again, saved = convatlas.from_pretrained(tmp_path / "files"), convatlas.load_model(trained)
    assert (again.classes, again.preprocess) == (saved.classes, saved.preprocess)
    picture = Image.new("L", (28, 28), 200)
    assert again(picture)[0].probabilities == saved(picture)[0].probabilities
    net = convatlas.create_model("lenet1989", weights=tmp_path / "files" / "model.safetensors")
    assert (net.classes, net.preprocess) == (saved.classes, saved.preprocess)
    recipe = convatlas.Recipe.read(tmp_path / "files" / "recipe.toml")
    assert (recipe.network, recipe.epochs) == ("lenet1989", 1)
    assert (tmp_path / "files" / "model.safetensors").read_bytes() == (
        trained / "model.safetensors"
    ).read_bytes()


def test_the_same_run_gives_the_same_bytes_and_what_was_loaded_the_same_weights(trained, tmp_path):
    for name, model in {
        "a": trained,
        "b": str(trained),
        "c": convatlas.load_model(trained),
        "d": convatlas.create_model("lenet1989", weights=trained / "model.safetensors"),
    }.items():
        convatlas.push_to_hub(model, "me/lenet", folder=tmp_path / name)
    files = {
        name: {file.name: file.read_bytes() for file in (tmp_path / name).iterdir()}
        for name in "abcd"
    }
    assert files["a"] == files["b"]
    assert len({files[name]["model.safetensors"] for name in files}) == 1
    assert convatlas.from_pretrained(tmp_path / "d").classes == tuple("0123456789")


def test_no_place_of_this_machine_is_published(tmp_path, trained):
    run, weights = tmp_path / "run", trained / "model.safetensors"
    for label in ("ring", "line"):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for number in range(10):
            picture = Image.new("L", (16, 16), 20 * number)
            picture.save(tmp_path / "photos" / label / f"{number}.png")
    words = SHORT | {"data": str(tmp_path / "photos"), "weights": str(weights)}
    convatlas.train("finetune", run, callback=convatlas.Callback(), **words)
    convatlas.push_to_hub(run, "me/lenet", folder=tmp_path / "files")
    for file in (tmp_path / "files").iterdir():
        for place in (tmp_path, weights.parent.parent):
            assert str(place).encode() not in file.read_bytes(), file.name
    assert (
        "began with the weights `model.safetensors`" in (tmp_path / "files/README.md").read_text()
    )


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ("torchvision-files/mine/w.pth", "w.pth"),
        ("torchvision:IMAGENET1K_V1", "torchvision:IMAGENET1K_V1"),
        ("hub:me/lenet", "hub:me/lenet"),
    ],
)
def test_of_a_file_of_weights_the_name_is_told(trained, weights, said):
    saved = convatlas.load_model(trained)
    saved.provenance["started_from"] = {"weights": weights, "kind": "raw"}
    assert f"It began with the weights `{said}` (`raw`)." in convatlas.model_card(saved)


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A hub on this machine: what was sent to it, by name."""
    constants = pytest.importorskip("huggingface_hub.constants", reason="the extra hub")
    held = SimpleNamespace(files={}, made=[], cards=[], status=200)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if held.status != 200:
                return self.give(b'{"error": "Forbidden: you may not"}', status=held.status)
            if self.path == "/api/repos/create":
                held.made.append(json.loads(body))
                return self.give(json.dumps({"url": f"{address}/me/lenet"}).encode())
            if self.path == "/api/validate-yaml":  # of the card
                held.cards.append(json.loads(body)["content"])
                return self.give(b'{"errors": [], "warnings": []}')
            if "/preupload/" in self.path:
                files = [
                    {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False}
                    for file in json.loads(body)["files"]
                ]
                return self.give(json.dumps({"files": files}).encode())
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    content = base64.b64decode(line["value"]["content"])
                    held.files[line["value"]["path"]] = content
            done = {"commitUrl": f"{address}/me/lenet/commit/{COMMIT}", "commitOid": COMMIT}
            return self.give(json.dumps(done).encode())

        def do_HEAD(self):
            self.do_GET()

        def do_GET(self):
            content = held.files.get(self.path.rpartition("/")[2])
            if content is None:
                self.give(b"", status=404, headers={"X-Error-Code": "EntryNotFound"})
            else:
                etag = {"ETag": f'"{sha256(content).hexdigest()}"', "X-Repo-Commit": COMMIT}
                self.give(content, headers=etag)

        def give(self, content, status=200, headers=()):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            for name, value in dict(headers).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def log_message(self, *words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(
        constants,
        "HUGGINGFACE_CO_URL_TEMPLATE",
        address + "/{repo_id}/resolve/{revision}/{filename}",
    )
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_TOKEN", "hf_" + "x" * 34)
    held.address = address
    yield held
    server.shutdown()
    server.server_close()


def test_a_run_goes_to_a_hub_and_comes_back(hub, trained, tmp_path, capsys):
    words = ["push", str(trained), "me/lenet", "--license", "mit", "--private"]
    assert command(words) == 0
    assert "published" in capsys.readouterr().out
    assert hub.made[0]["name"] == "lenet"
    assert hub.cards[0].startswith("---\nlibrary_name")
    assert {*hub.files} == {"README.md", "model.json", "model.safetensors", "recipe.toml"}
    saved = convatlas.load_model(trained)
    again = convatlas.from_pretrained("me/lenet")
    assert (again.classes, again.preprocess) == (saved.classes, saved.preprocess)
    net = convatlas.create_model("lenet1989", weights="hub:me/lenet")
    assert net.classes == saved.classes
    assert all(torch.equal(net.state_dict()[k], t) for k, t in saved.net.state_dict().items())
    hub.files.clear()  # kept since
    assert convatlas.from_pretrained("hub:me/lenet").classes == saved.classes


def test_a_hub_that_refuses_is_said_with_the_remedy(hub, trained):
    hub.status = 403
    with pytest.raises(PublishingError, match=r"the hub did not take me/lenet .*hf auth login"):
        convatlas.push_to_hub(trained, "me/lenet")


def test_a_place_without_a_description_names_what_would_help(hub, trained):
    hub.files["model.safetensors"] = (trained / "model.safetensors").read_bytes()
    with pytest.raises(PublishingError, match=r"me/lenet has no model.json.*create_model\(NAME"):
        convatlas.from_pretrained("me/lenet")


def test_a_damaged_file_of_the_hub_is_refused(hub, trained, tmp_path):
    convatlas.push_to_hub(trained, "me/lenet")
    hub.files["model.json"] = hub.files["model.json"].replace(b'"1"', b'"7"')
    with pytest.raises(ModelFileError, match=r"model\.json is damaged"):
        convatlas.from_pretrained("me/lenet")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"repo": "lenet"}, "write owner/name"),
        ({"repo": ""}, "give owner/name"),
        ({"repo": "me/lenet", "license": "My Own\n"}, "is no licence of the hub's"),
    ],
)
def test_wrong_words_are_refused_before_anything_is_read(words, said):
    with pytest.raises(PublishingError, match=said):
        convatlas.push_to_hub("no/such/run", **words)


def test_what_cannot_be_published_is_said(trained, tmp_path):
    with pytest.raises(PublishingError, match="how pictures are prepared for this lenet5"):
        convatlas.push_to_hub(convatlas.create_model("lenet5"), "me/lenet", folder=tmp_path / "x")
    with pytest.raises(ModelFileError, match="cannot read"):
        convatlas.push_to_hub(tmp_path, "me/lenet", folder=tmp_path / "x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(PublishingError, match="full is not empty"):
        convatlas.push_to_hub(trained, "me/lenet", folder=tmp_path / "full")
    with pytest.raises(WeightsError, match="cannot read 'hub:lenet'"):
        convatlas.from_pretrained("lenet")


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        (b'{"run": "another"}', "is of another run"),
        (b"[" * 100_000, "cannot read"),
        (b'{"run": NaN}', "cannot read"),
    ],
)
def test_metrics_of_a_stranger_are_held_to_the_run(trained, tmp_path, metrics, said):
    for name in ("model.json", "model.safetensors"):
        (tmp_path / name).write_bytes((trained / name).read_bytes())
    (tmp_path / "metrics.json").write_bytes(metrics)
    with pytest.raises(PublishingError, match=said):
        convatlas.model_card(tmp_path)


def test_a_result_that_was_changed_afterwards_is_not_published(trained, tmp_path):
    for name in ("model.json", "model.safetensors"):
        (tmp_path / name).write_bytes((trained / name).read_bytes())
    metrics = metrics_of(trained)
    metrics["test"]["accuracy"] = 0.999
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    with pytest.raises(PublishingError, match="another thing than was written"):
        convatlas.model_card(tmp_path)


@pytest.mark.parametrize(
    "test", [{}, None, {"count": -1}, {"count": 5, "accuracy": "high"}, {"count": 10**400}]
)
def test_a_result_that_no_run_writes_is_left_out(trained, tmp_path, test):
    for name in ("model.json", "model.safetensors"):
        (tmp_path / name).write_bytes((trained / name).read_bytes())
    metrics = metrics_of(trained) | {"test": test}
    del metrics["sha256"]  # as older versions wrote it
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    assert "No result on test pictures is known" in convatlas.model_card(tmp_path)


def test_the_card_is_printed_or_written(trained, tmp_path, capsys):
    assert command(["card", str(trained), "--license", "mit"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("---\nlibrary_name")
    assert command(["card", str(trained), "--license", "mit", "-o", str(tmp_path / "c.md")]) == 0
    assert (tmp_path / "c.md").read_text() == shown
    assert command(["card", str(trained), "-o", str(tmp_path / "c.md")]) == 1
    assert "c.md exists; give another name" in capsys.readouterr().err
