"""`convatlas pack` as it is typed."""

import pytest
from noise import save_noise

from convatlas.cli import run


@pytest.fixture
def photos(tmp_path):
    for i in range(30):
        (tmp_path / "photos" / f"class{i % 2}").mkdir(parents=True, exist_ok=True)
        save_noise(tmp_path / "photos" / f"class{i % 2}" / f"{i}.png", (30, 40), "RGB", i)
    return tmp_path / "photos"


def test_a_folder_is_packed_checked_and_said(photos, tmp_path, capsys):
    out = tmp_path / "packed"
    assert run(["pack", str(photos), str(out), "--size", "20", "--workers", "1"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("30 images, 30 of them made smaller, 0.0 MB in 1 file: ")
    assert sorted(path.name for path in out.iterdir()) == ["00000.tar", "index.safetensors"]
    assert run(["check-data", str(out), "--workers", "1"]) == 0
    said = capsys.readouterr().out
    assert "2 classes: class0 11, class1 11" in said
    assert "30 images looked at: 0 problems, 0 notes" in said
    assert run(["pack", str(photos), str(out)]) == 1
    assert "is not empty; name a new folder to pack into" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["{}"], 2, "`convatlas pack FOLDER OUT` packs FOLDER into the new folder OUT"),
        ([], 2, "`convatlas pack FOLDER OUT` packs FOLDER into the new folder OUT"),
        (["{}", "s3://bucket/x"], 1, "s3://bucket/x is an object store; pack into"),
        (["{}", "s3://bucket/x"], 1, "aws s3 cp --recursive OUT s3://BUCKET/PATH"),
        (["nowhere", "x"], 1, "'nowhere' does not exist; check the path"),
        (["{}", "x", "--size", "3"], 1, "--size 3 is not allowed; give the shorter side"),
        (["{}", "/dev/null/x"], 1, "cannot be written ("),
        (["{}", "{}/packed"], 1, "which is to be packed; name a new folder elsewhere"),
        (["{}", "x", "--quality", "80"], 1, "--quality 80 has no effect"),
        (["{}", "x", "--workers", "-1"], 1, "--workers -1 makes no sense"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    photos, tmp_path, monkeypatch, capsys, words, code, said
):
    monkeypatch.chdir(tmp_path)
    assert run(["pack", *(word.format(photos) for word in words)]) == code
    found = capsys.readouterr().err
    assert said in found
    assert "Traceback" not in found
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos"]
