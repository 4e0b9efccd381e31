"""explore on the command line: a folder, a file, a server; each refusal is one sentence."""

import socket
import subprocess
import sys
import urllib.request

import pytest

from convatlas import cli
from convatlas.errors import RunError
from convatlas.explorer import building, contents

SMALL = {"index.html": lambda: b"<p>first", "static/a.js": lambda: b'import {b} from "./b/c.js";'}


def test_a_folder_is_written(tmp_path):
    assert building.write_folder(SMALL, tmp_path / "site") == 2
    assert (tmp_path / "site" / "static" / "a.js").read_bytes() == SMALL["static/a.js"]()


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("mine")
    assert cli.run(["explore", "--build", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert "is not empty" in told and told.count("\n") == 1
    assert [each.name for each in tmp_path.iterdir()] == ["mine.txt"]


def test_a_file_in_the_way_is_one_sentence(tmp_path):
    (tmp_path / "a").write_text("mine")
    with pytest.raises(RunError, match=r"cannot be written|is not empty"):
        building.write_folder(SMALL, tmp_path / "a" / "site")
    with pytest.raises(RunError, match="is a folder"):
        building.write_single(SMALL, tmp_path)


def test_relative_imports_become_names():
    module = b'import {x} from "../files.js";\nexport * from "./y.js";\nimport "./z.js";'
    kind, text = building.carry("static/live/page.js", module)
    assert kind == "text"
    assert '"convatlas/static/files.js"' in text
    assert '"convatlas/static/live/y.js"' in text and '"convatlas/static/live/z.js"' in text


def test_the_site_is_the_same_each_time():
    for path in ("index.html", "networks/resnet50.html", "tree.html", "data/networks.json"):
        assert contents.site()[path]() == contents.site()[path]()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["resnet5"], "did you mean resnet50"),
        (["--build", "a", "--single-file", "b.html"], "one at a time"),
        (["lenet5", "--build", "a"], "leave lenet5 out"),
    ],
)
def test_refusals(words, told, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.run(["explore", "--no-open", *words]) == 2
    said = capsys.readouterr().err
    assert told in said and said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_weights_is_one_sentence(capsys, tmp_path):
    assert cli.run(["explore", "--no-open", str(tmp_path)]) == 1
    assert "give the folder of a finished run" in capsys.readouterr().err


def test_a_port_in_use_is_one_sentence(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert cli.run(["explore", "--no-open", "--port", port]) == 1
    assert "--port 0" in capsys.readouterr().err


def test_it_serves_the_page_that_was_asked_for_without_torch():
    code = (
        "import sys\nfrom convatlas import cli\n"
        "assert cli.run(['explore', 'lenet5', '--no-open']) == 0\n"
        "assert 'torch' not in sys.modules"
    )
    serving = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        address = serving.stdout.readline().split()[0]
        assert address.endswith("networks/lenet5.html")
        with urllib.request.urlopen(address) as answer:
            assert b"60,000" in answer.read()
    finally:
        serving.send_signal(2)
        assert serving.wait(60) == 0
