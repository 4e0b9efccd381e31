"""A run folder from a stranger: model.json and model.safetensors are refused, or give what they
always gave; nothing is made before it is proved to fit, and nothing waits for ever.
"""

import hashlib
import json
import os
import random
import resource
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import convatlas
from convatlas.cli import run as command
from convatlas.data import Preprocess
from convatlas.errors import ModelFileError, WeightsError
from convatlas.model_description import checksum, read_description
from convatlas.model_file import describe_model, load_model, weights_file
from convatlas.registry import create_model

PREP = Preprocess(1, 28, (0.15,), (0.28,), "pad", 28)
CLASSES = ("cat", "dog", "owl")
IMAGE = torch.rand(2, 1, 28, 28, generator=torch.Generator().manual_seed(0))
unix = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")


def save_model(folder, net, network, classes=CLASSES, prep=PREP):
    folder.mkdir(exist_ok=True)
    weights = weights_file(net.state_dict())
    text = describe_model(network, classes, prep, {"fingerprint": "ab", "seed": 0}, weights)
    (folder / "model.safetensors").write_bytes(weights)
    (folder / "model.json").write_text(text)
    return folder


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    torch.manual_seed(0)
    net = create_model("lenet1989", num_classes=3, in_channels=1)
    return save_model(tmp_path_factory.mktemp("model") / "good", net, "lenet1989")


@pytest.fixture
def folder(good, tmp_path):
    return Path(shutil.copytree(good, tmp_path / "run"))


def described(folder, change):
    """model.json with these values changed, and its checksum made right: a stranger's own."""
    about = json.loads((folder / "model.json").read_text())
    change(about)
    about["checksum"] = checksum(about)
    (folder / "model.json").write_text(json.dumps(about))


def answer(folder):
    saved = load_model(folder)
    with torch.inference_mode():
        return saved.classes, saved.preprocess, saved.net(saved.preprocess.normalise(IMAGE))


EDITS = {
    "mean": lambda about: about["preprocess"].update(mean=[0.5]),
    "std": lambda about: about["preprocess"].update(std=[0.5]),
    "swapped": lambda about: about["classes"].reverse(),
    "renamed": lambda about: about.update(classes=["cat", "dog", "owls"]),
    "provenance": lambda about: about["provenance"].update(fingerprint="cd"),
    "more": lambda about: about.update(extra=1),
}


@pytest.mark.parametrize("edit", EDITS)
def test_whatever_is_edited_is_refused(folder, edit):
    about = json.loads((folder / "model.json").read_text())
    EDITS[edit](about)
    (folder / "model.json").write_text(json.dumps(about, indent=1))
    with pytest.raises(ModelFileError, match=r"model\.json is damaged: .*its checksum differs"):
        load_model(folder)


def test_the_layout_of_the_text_does_not_matter_and_files_of_earlier_versions_are_read(folder):
    before = answer(folder)
    about = json.loads((folder / "model.json").read_text())
    for other in (about, {name: about[name] for name in about if name != "checksum"}):
        (folder / "model.json").write_text(json.dumps(other))
        assert answer(folder)[:2] == before[:2]


def test_names_that_are_not_utf_8_are_kept(tmp_path):
    net = create_model("lenet1989", num_classes=2, in_channels=1)
    names = (os.fsdecode(b"caf\xe9"), "猫")
    save_model(tmp_path / "run", net, "lenet1989", names)
    assert load_model(tmp_path / "run").classes == names


NO_DESCRIPTION = {
    "brackets": b"[" * 100_000,
    "object of brackets": b'{"format": ' + b"[" * 100_000,
    "number": b"3",
    "list": b"[1, 2]",
    "NaN": b'{"format": NaN}',
    "twice": b'{"format": 1, "format": 1}',
    "long number": b'{"format": ' + b"9" * 5000 + b"}",
    "not UTF-8": b'{"format": "\xff"}',
    "large": b" " * 6_000_001,
}


@pytest.mark.parametrize("kind", NO_DESCRIPTION)
def test_what_is_no_description_is_refused(folder, kind):
    (folder / "model.json").write_bytes(NO_DESCRIPTION[kind])
    with pytest.raises(ModelFileError, match=r"model\.json") as refusal:
        load_model(folder)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("value", [None, True, 1, 1.5, -1, 10**400, "x", "", [], [[]], {}, [None]])
@pytest.mark.parametrize(
    "key", ["format", "network", "classes", "preprocess", "sha256", "provenance"]
)
def test_values_of_other_types_are_refused(folder, key, value):
    described(folder, lambda about: about.update({key: value}))
    if (key, value) in (("format", 1), ("provenance", {})) and value is not True:
        load_model(folder)
    else:
        with pytest.raises(ModelFileError, match=r"model\.json"):
            load_model(folder)


@pytest.mark.parametrize("value", [None, True, 10**400, "x", [], [float("1e999")], {}, -1, 4096])
@pytest.mark.parametrize("key", ["channels", "side", "mean", "std", "fit", "content"])
def test_impossible_preprocessing_is_refused(folder, key, value):
    try:
        described(folder, lambda about: about["preprocess"].update({key: value}))
    except ValueError:  # infinity has no checksum
        (folder / "model.json").write_text("{}")
    with pytest.raises(ModelFileError, match=r"model\.json"):
        load_model(folder)


@pytest.mark.parametrize("names", [["a", "a", "b"], ["a", "b", "\ud83d"], ["a", "b", "c\0"], ["a"]])
def test_impossible_classes_are_refused(folder, names):
    described(folder, lambda about: about.update(classes=names))
    with pytest.raises(ModelFileError, match=r"its classes cannot be right|does not fit lenet1989"):
        load_model(folder)


def test_an_unknown_network_is_named_with_its_file(folder):
    described(folder, lambda about: about.update(network="lenet1990"))
    with pytest.raises(ModelFileError, match=r"model\.json: .*lenet1990"):
        load_model(folder)


def make_link_loop(path):
    path.symlink_to(path.with_name("other"))
    path.with_name("other").symlink_to(path)


NO_FILE = {
    "pipe": os.mkfifo if hasattr(os, "mkfifo") else None,
    "zeros": lambda path: path.symlink_to("/dev/zero"),
    "folder": os.mkdir,
    "loop": make_link_loop,
    "dangling": lambda path: path.symlink_to("nothing"),
    "sparse": lambda path: (path.touch(), os.truncate(path, 2**36)),
    "empty": lambda path: path.touch(),
    "header": lambda path: path.write_bytes(struct.pack("<Q", 2**60) + b"{}"),
}


@unix
@pytest.mark.parametrize("kind", NO_FILE)
@pytest.mark.parametrize("name", ["model.json", "model.safetensors"])
def test_what_is_no_plain_file_is_refused_at_once(folder, name, kind, capsys, tmp_path):
    (folder / name).unlink()
    NO_FILE[kind](folder / name)
    shutil.copy(Path(__file__).parent / "conftest.py", tmp_path / "image.png")
    for words in (
        ["predict", folder, tmp_path / "image.png"],
        ["eval", folder, "--data", "digits"],
    ):
        assert command([str(word) for word in words]) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert err.count("\n") == 1
        assert name in err
        assert ("it is a pipe or a device" in err) is (kind in ("pipe", "zeros"))


@unix
@pytest.mark.parametrize("kind", ["pipe", "zeros", "sparse", "empty", "header"])
def test_conversion_and_fine_tuning_refuse_them_too(folder, kind, capsys, tmp_path):
    file = folder / "model.safetensors"
    file.unlink()
    NO_FILE[kind](file)
    fine_tune = ["train", "lenet1989", "--data", "digits", "--weights", file]
    for words in (
        ["convert", file, "--network", "lenet1989", "--output", tmp_path / "x.safetensors"],
        [*fine_tune, "--output", tmp_path / "new"],
    ):
        assert command([str(word) for word in words]) == 1
        assert str(file) in capsys.readouterr().err


MEASURED = """
import resource, sys
from convatlas.model_file import load_model
from convatlas.errors import Error
import convatlas.registry
convatlas.registry.create_model("lenet1989")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    load_model(sys.argv[1])
except Error as error:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in kB on Linux")
def test_millions_of_classes_allocate_nothing(folder):
    """A head of 31 GB, if it were made before the weights are looked at."""
    names = [f"{i:x}" for i in range(600_000)]

    def change(about):
        about.update(network="vgg16", classes=names)
        about["preprocess"].update(side=224, content=224)

    described(folder, change)
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(folder)], capture_output=True, text=True, timeout=120
    )
    grown, _, said = done.stdout.partition(" ")
    assert "does not fit vgg16" in said
    assert int(grown) <= 200_000


def test_opening_draws_no_numbers_and_makes_tensors_of_its_own(good):
    before = torch.get_rng_state()
    nets = [load_model(good).net for _ in range(2)]
    assert torch.equal(torch.get_rng_state(), before)
    weights = [{*(p.data_ptr() for p in net.parameters())} for net in nets]
    assert not weights[0] & weights[1]
    assert all(p.data_ptr() % 64 == 0 and p.requires_grad for p in nets[0].parameters())


def test_huge_weights_are_finite(tmp_path):
    net = create_model("lenet1989", num_classes=3, in_channels=1)
    with torch.no_grad():
        for weight in net.parameters():
            weight.fill_(3e38)  # their sum is not
    folder = save_model(tmp_path / "huge", net, "lenet1989")
    assert next(load_model(folder).net.parameters()).max() == torch.tensor(3e38)


def test_weights_that_are_not_finite_are_refused(tmp_path):
    net = create_model("lenet1989", num_classes=3, in_channels=1)
    with torch.no_grad():
        next(net.parameters())[0] = float("nan")
    save_model(tmp_path / "run", net, "lenet1989")
    with pytest.raises(ModelFileError, match=r"model\.safetensors is damaged: .* is not finite"):
        load_model(tmp_path / "run")


def test_weights_of_another_kind_are_refused(tmp_path):
    """A file of bytes would grow to four times its size."""
    net = create_model("lenet1989", num_classes=3, in_channels=1)
    save_model(tmp_path / "run", net.half(), "lenet1989")
    with pytest.raises(ModelFileError, match=r"does not fit lenet1989: .* F16, not .* F32"):
        load_model(tmp_path / "run")


# Each takes (dice, content) and returns other content.
def flip(dice, content):
    at = dice.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << dice.randrange(8)]) + content[at + 1 :]


def cut(dice, content):
    return content[: dice.randrange(len(content))]


def lengthen(dice, content):
    return content + dice.randbytes(dice.randrange(1, 5000))


def double(dice, content):
    begin, end = sorted(dice.randrange(len(content)) for _ in range(2))
    return content[:end] + content[begin:end] + content[end:]


def drop(dice, content):
    begin, end = sorted(dice.randrange(len(content)) for _ in range(2))
    return content[:begin] + content[end:]


def scramble(dice, content):
    at = dice.randrange(len(content))
    return content[:at] + dice.randbytes(8) + content[at + 8 :]


def number(dice, content):
    """A digit becomes another, or many."""
    places = [i for i, byte in enumerate(content) if chr(byte).isdigit()] or [0]
    at = dice.choice(places)
    other = dice.choice([b"-1", b"0", b"9" * 20, b"1e300", b"null", b"[]", str(2**62).encode()])
    return content[:at] + other + content[at + 1 :]


MUTATIONS = (flip, cut, lengthen, double, drop, scramble, number)
FUZZ = """
import os, resource, sys
sys.path.insert(0, sys.argv[2])
import test_model_file
print(*test_model_file.fuzz(sys.argv[1], int(sys.argv[3])))
"""


def mutate(dice, folder, contents):
    """One file changed. Whether hash and checksum were then made right, as a stranger would."""
    name = dice.choice(list(contents))
    for other, content in contents.items():
        (folder / other).write_bytes(content)
    (folder / name).write_bytes(dice.choice(MUTATIONS)(dice, contents[name]))
    if dice.random() < 0.5:
        return False
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    try:
        described(folder, lambda about: about.update(sha256=digest))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return False  # it is no description any more
    return True


def fuzz(folder, count):
    """(refused, equal, other models, changed in silence, growth of memory in kB)."""
    folder, dice = Path(folder), random.Random(20)
    contents = {file.name: file.read_bytes() for file in folder.iterdir()}
    classes, prep, logits = answer(folder)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused = equal = another = silent = 0
    for _ in range(count):
        made_right = mutate(dice, folder, contents)
        try:
            found = answer(folder)
        except ModelFileError:
            refused += 1
            continue
        same = found[:2] == (classes, prep) and torch.equal(found[2], logits)
        equal += same
        another += made_right and not same
        silent += not (made_right or same)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return refused, equal, another, silent, grown


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in kB on Linux")
def test_mutated_models_are_refused_or_answer_the_same(folder):
    """With hash and checksum made right a mutation is another model, as good as any; without, it
    is refused. No other error ever comes.
    """
    done = subprocess.run(
        [sys.executable, "-c", FUZZ, str(folder), str(Path(__file__).parent), "400"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    refused, equal, another, silent, grown = map(int, done.stdout.split())
    assert silent == 0
    assert refused + equal + another == 400
    assert min(refused, another) > 10
    assert grown <= 200_000 + 3 * (folder / "model.safetensors").stat().st_size // 1000


def test_a_run_folder_is_the_weights_in_it(good, tmp_path):
    net = create_model("lenet1989", num_classes=3, in_channels=1)
    convatlas.load_weights(net, good)
    expected = load_model(good).net.state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in net.state_dict().items())
    with pytest.raises(WeightsError, match="is a folder"):
        convatlas.load_weights(net, tmp_path)
    assert read_description(good / "model.json").network == "lenet1989"
