"""Published weights, from real servers on this machine: checked by their hash; what is said where
there are none.
"""

import enum
import hashlib
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest
import torch
import torchvision.models as tv

from convatlas.errors import WeightsError
from convatlas.registry import create_model
from convatlas.weights import load_weights, save_weights
from convatlas.weights.published import of_torchvision

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def as_installed(monkeypatch):
    """What is known of pictures stays that of the installed torchvision, whatever stands in for it
    below.
    """
    entries = of_torchvision("squeezenet1_1")
    monkeypatch.setattr("convatlas.weights.pictures.of_torchvision", lambda theirs: entries)


@pytest.fixture
def serve():
    """serve({path: bytes}) -> the address of a server that gives these files, with the headers of
    the hub.
    """
    servers = []

    def start(files: dict[str, bytes]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self):
                self.give(body=False)

            def do_GET(self):
                self.give(body=True)

            def give(self, body: bool):
                data = files.get(self.path)
                self.send_response(404 if data is None else 200)
                if data is None:
                    self.send_header("X-Error-Code", "EntryNotFound")
                    data = b""
                else:
                    self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
                    self.send_header("X-Repo-Commit", COMMIT)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if body:
                    self.wfile.write(data)

            def log_message(self, *words):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def published(tmp_path, serve, monkeypatch):
    """torchvision's squeezenet1_1 as if published here: (its state, its file name, the folder where
    it is kept).
    """
    torch.manual_seed(0)
    state = tv.squeezenet1_1().state_dict()
    torch.save(state, tmp_path / "published.pth")
    data = (tmp_path / "published.pth").read_bytes()
    name = f"squeezenet1_1-{hashlib.sha256(data).hexdigest()[:8]}.pth"
    address = serve({f"/models/{name}": data, "/models/squeezenet1_1-00000000.pth": data})
    monkeypatch.setattr(
        tv,
        "get_model_weights",
        lambda model: SimpleNamespace(DEFAULT=SimpleNamespace(url=f"{address}/models/{name}")),
    )
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    return SimpleNamespace(
        state=state, name=name, address=address, kept=tmp_path / "hub" / "checkpoints"
    )


def test_torchvisions_weights_are_downloaded_once(published):
    net = create_model("squeezenet1_1", weights="torchvision")
    assert torch.equal(net.fire2.squeeze.conv.weight, published.state["features.3.squeeze.weight"])
    (published.kept / published.name).touch()
    again = load_weights(create_model("squeezenet1_1"), "torchvision")
    assert again.path == published.kept / published.name


def test_each_entry_of_torchvisions_can_be_had(tmp_path, serve, monkeypatch):
    torch.manual_seed(0)
    states = {
        "IMAGENET1K_V1": tv.resnet18().state_dict(),
        "IMAGENET1K_V2": tv.resnet18().state_dict(),
    }
    files = {}
    for name, state in states.items():
        torch.save(state, tmp_path / name)
        data = (tmp_path / name).read_bytes()
        files[f"/resnet18-{hashlib.sha256(data).hexdigest()[:8]}.pth"] = data
    address = serve(files)

    class Published(enum.Enum):
        IMAGENET1K_V1, IMAGENET1K_V2 = (SimpleNamespace(url=address + path) for path in files)
        DEFAULT = IMAGENET1K_V2

        @property
        def url(self):
            return self.value.url

    monkeypatch.setattr(tv, "get_model_weights", lambda model: Published)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    for word, name in {
        "torchvision:IMAGENET1K_V1": "IMAGENET1K_V1",
        "torchvision:IMAGENET1K_V2": "IMAGENET1K_V2",
        "torchvision:DEFAULT": "IMAGENET1K_V2",
        "torchvision": "IMAGENET1K_V2",
    }.items():
        net = create_model("resnet18", weights=word)
        assert torch.equal(net.fc.weight, states[name]["fc.weight"]), word
    with pytest.raises(
        WeightsError,
        match=r"torchvision publishes no 'IMAGENET1K_V3' of resnet18; give "
        "torchvision:IMAGENET1K_V1 or torchvision:IMAGENET1K_V2$",
    ):
        create_model("resnet18", weights="torchvision:IMAGENET1K_V3")


def test_the_installed_torchvision_lists_its_entries():
    with pytest.raises(
        WeightsError, match=r"give torchvision:IMAGENET1K_V1 or torchvision:IMAGENET1K_V2"
    ):
        create_model("resnet50_v15", weights="torchvision:V1")


def test_another_file_than_promised_is_refused_and_not_kept(published, monkeypatch):
    monkeypatch.setattr(
        tv,
        "get_model_weights",
        lambda model: SimpleNamespace(
            DEFAULT=SimpleNamespace(url=f"{published.address}/models/squeezenet1_1-00000000.pth")
        ),
    )
    with pytest.raises(WeightsError, match="gave another file than its name promises"):
        create_model("squeezenet1_1", weights="torchvision")
    assert list(published.kept.iterdir()) == []


def test_a_kept_file_that_changed_is_refused(published):
    create_model("squeezenet1_1", weights="torchvision")
    kept = published.kept / published.name
    kept.write_bytes(kept.read_bytes()[:-1] + b"x")
    with pytest.raises(WeightsError, match="is not the published file"):
        create_model("squeezenet1_1", weights="torchvision")


def test_offline_says_where_to_put_the_file(published, monkeypatch):
    monkeypatch.setattr(
        tv,
        "get_model_weights",
        lambda model: SimpleNamespace(
            DEFAULT=SimpleNamespace(url="http://127.0.0.1:9/models/squeezenet1_1-b8a52dc0.pth")
        ),
    )
    with pytest.raises(
        WeightsError,
        match=r"cannot download http://127\.0\.0\.1:9/models/squeezenet1_1-b8a52dc0\.pth "
        r"\(.*\); fetch it elsewhere and put it at .*/squeezenet1_1-b8a52dc0\.pth",
    ):
        create_model("squeezenet1_1", weights="torchvision")


def test_real_addresses_carry_a_hash():
    for name in ("resnet50", "efficientnet_b3", "shufflenet_v2_x0_5", "inception_v3"):
        assert (
            tv.get_model_weights(name).DEFAULT.url.rpartition("-")[2].removesuffix(".pth").isalnum()
        )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("resnet50", "publishes no weights for resnet50; its resnet50 is resnet50_v15 here"),
        ("lenet5", "publishes no weights for lenet5$"),
    ],
)
def test_what_torchvision_does_not_have(name, words):
    with pytest.raises(WeightsError, match=words):
        create_model(name, weights="torchvision")


def from_hub(address: str, home, weights: str, **environment: str) -> subprocess.CompletedProcess:
    """In a process of its own: the client of the hub reads its address when it is imported."""
    code = (
        "import sys, convatlas\n"
        "try: net = convatlas.create_model(sys.argv[2], weights=sys.argv[1])\n"
        "except ValueError as error: sys.exit(str(error))\n"
        "print(float(net.conv10.conv.bias[0]))"
    )
    return subprocess.run(
        [sys.executable, "-c", code, weights, "squeezenet1_1"],
        capture_output=True,
        text=True,
        env={
            "PATH": "",
            "HF_ENDPOINT": address,
            "HF_HOME": str(home),
            "OMP_NUM_THREADS": "1",
            "HF_HUB_DISABLE_XET": "1",
            **environment,
        },
    )


def test_the_hub(tmp_path, serve):
    torch.manual_seed(0)
    net = create_model("squeezenet1_1")
    torch.nn.init.constant_(net.conv10.conv.bias, 0.25)
    save_weights(net, tmp_path / "a.safetensors")
    data = (tmp_path / "a.safetensors").read_bytes()
    address = serve({"/owner/name/resolve/main/model.safetensors": data})
    done = from_hub(address, tmp_path / "home", "hub:owner/name")
    assert (done.returncode, done.stdout) == (0, "0.25\n"), done.stderr
    kept = next(path for path in (tmp_path / "home").rglob("model.safetensors")).resolve()
    offline = from_hub("http://127.0.0.1:9", tmp_path / "home", "hub:owner/name")
    assert (offline.returncode, offline.stdout) == (0, "0.25\n"), offline.stderr
    kept.chmod(0o644)
    kept.write_bytes(data[:-1] + b"x")
    changed = from_hub(address, tmp_path / "home", "hub:owner/name")
    assert changed.returncode == 1
    assert "is not the file that the hub promised" in changed.stderr


def test_the_hub_without_the_file_or_the_network(tmp_path, serve):
    missing = from_hub(serve({}), tmp_path / "home", "hub:owner/name")
    assert missing.stderr.startswith("owner/name gives no model.safetensors (")
    offline = from_hub(
        "http://127.0.0.1:9", tmp_path / "home", "hub:owner/other@v1", HF_HUB_OFFLINE="1"
    )
    assert offline.stderr == (
        "cannot download model.safetensors of owner/other; fetch "
        "https://huggingface.co/owner/other/resolve/v1/model.safetensors elsewhere and give the "
        "file instead\n"
    )
    unreadable = from_hub("http://127.0.0.1:9", tmp_path / "home", "hub:../../etc")
    assert unreadable.stderr.startswith("cannot read 'hub:../../etc'; write hub:owner/name")
