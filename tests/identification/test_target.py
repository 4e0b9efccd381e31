"""What a word of the command line means."""

import pytest

from convatlas.errors import IdentifyError
from convatlas.identification.target import parse


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").touch()
    for name in ("net.py", "odd.py:os.system('x')", "net.onnx", "net.pth", "net.ipynb"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("word", "kind", "path", "call"),
    [
        ("net.py", "file", "net.py", ""),
        ("net.py:Net", "file", "net.py", "Net"),
        ("net.py:Net(1, [2, 3], act='x:y')", "file", "net.py", "Net(1, [2, 3], act='x:y')"),
        ("net.py:models.Net(3)", "file", "net.py", "models.Net(3)"),
        ("torchvision.models:resnet50", "module", "torchvision.models", "resnet50"),
        ("net.onnx", "onnx", "net.onnx", ""),
        ("net.pth", "weights", "net.pth", ""),
        ("run", "run", "run", ""),
        ("odd.py:os.system('x')", "weights", "odd.py:os.system('x')", ""),  # a file: no call
    ],
)
def test_a_word_is_understood(word, kind, path, call, folder):
    target = parse(word)
    assert (target.kind, target.path, target.call) == (kind, path, call)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("gone.py:Net", "there is no file gone.py; check the path before the colon"),
        ("gone.onnx", "there is no file gone.onnx; give FILE.py:NAME"),
        ("resnet50", "resnet50 is a network of the atlas itself: `convatlas show resnet50`"),
        ("net.py:1 + 1", "after the colon stands NAME or NAME(arguments)"),
        ("net.py:(lambda: 1)()", "after the colon stands NAME or NAME(arguments)"),
        ("net.py:Net(", "after the colon stands NAME or NAME(arguments)"),
        ("net.py:Net\nimport os", "after the colon stands NAME or NAME(arguments)"),
        ("net.py:" + "(" * 900, "after the colon stands NAME or NAME(arguments)"),
        ("net.py:" + "N" * 2000, "of at most 1000 letters"),
        ("", "names no file"),
        ("a\0b", "names no file"),
        ("x" * 5000, "there is no file"),
        ("package", "package is a package; name what is in it"),
        ("net.ipynb", "is a notebook; make it a file of code first: `jupyter nbconvert"),
    ],
)
def test_what_is_none_is_a_sentence(word, said, folder):
    with pytest.raises(IdentifyError) as caught:
        parse(word)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
