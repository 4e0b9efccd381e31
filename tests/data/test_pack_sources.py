"""WebDataset's tars and Hugging Face's Parquet files, packed: every image under its class, in its
part; and what is wrong with them in one sentence.
"""

import contextlib
import io
import json
import tarfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from skips import needs

from convatlas.data import check_data, open_data
from convatlas.data.packed.tars import of_tars
from convatlas.data.packed.writing import pack
from convatlas.errors import DataError

PARTS = ("train", "val", "test")


def picture(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (9, 11, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def tar(path, files):
    with tarfile.open(path, "w") as made:
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            made.addfile(entry, io.BytesIO(content))


def found(data) -> dict[str, tuple[str, str, bytes]]:
    """name -> (part, class, bytes)."""
    return {
        split.names[i]: (
            part,
            data.classes[int(split.labels[i])],
            split.shelf.take(split.rows[i : i + 1], False)[0],
        )
        for part in PARTS
        for split in [getattr(data, part)]
        for i in range(len(split))
    }


def test_tars_with_classes_beside_the_images(tmp_path):
    for shard in range(2):
        files = []
        for i in range(12):
            key = f"sample{i:03}"
            files.append((f"{key}.png", picture(100 * shard + i)))
            label = json.dumps({"label": i % 3}).encode() if i % 2 else str(i % 3).encode()
            files.append((f"{key}.{'json' if i % 2 else 'cls'}", label))
        tar(tmp_path / f"photos-train-{shard:05}.tar", files)
    tar(tmp_path / "photos-val-00000.tar", files[:6])
    pack([*sorted(tmp_path.glob("*.tar"))], tmp_path / "p", workers=1)
    data = open_data(tmp_path / "p", val_fraction=0.1)
    assert data.classes == ("0", "1", "2")
    there = found(data)
    assert len(there) == 27
    part, label, content = there["photos-train-00001/sample004.png"]
    assert part in ("train", "test")  # held out of what there is, as of a folder without test/
    assert (label, content) == ("1", picture(104))
    assert there["photos-val-00000/sample001.png"][:2] == ("val", "1")
    assert data.splits == {
        "val": "photos-val-00000/",
        "test": "a fifth of photos-train-00000 ... photos-train-00001",
    }


def test_tars_of_class_folders(tmp_path):
    files = [(f"photos/class{i % 2}/{i}.png", picture(i)) for i in range(20)]
    files += [("photos/.DS_Store", b"x"), ("photos/class0/notes.txt", b"y")]
    tar(tmp_path / "everything.tar", files)
    pack([tmp_path / "everything.tar"], tmp_path / "p", workers=1)
    there = found(open_data(tmp_path / "p"))
    assert len(there) == 20
    assert there["everything/photos/class1/7.png"][1:] == ("class1", picture(7))


def test_what_is_wrong_with_tars(tmp_path):
    def refused(words, *places):
        with pytest.raises(DataError, match=words) as caught:
            pack(places, tmp_path / "p", workers=1)
        assert "\n" not in str(caught.value)
        assert not (tmp_path / "p").exists()
        assert not [*tmp_path.glob(".packing*")]

    (tmp_path / "a.tar").write_bytes(b"no tar")
    refused("cannot be read as an uncompressed tar", tmp_path / "a.tar")
    tar(tmp_path / "b.tar", [("1.png", picture(1))])
    refused("has no class: neither a .cls or .json", tmp_path / "b.tar")
    tar(tmp_path / "c.tar", [("1.txt", b"words")])
    refused("holds no images", tmp_path / "c.tar")
    tar(tmp_path / "val.tar", [("x/1.png", picture(1))])
    refused("no tar is one for training", tmp_path / "val.tar")
    refused("does not exist", tmp_path / "d.tar")
    (tmp_path / "e.parquet").write_bytes(b"")
    refused("cannot be packed together", tmp_path / "b.tar", tmp_path / "e.parquet")
    tar(tmp_path / "f.tar", [(f"x/{i}.png", picture(i) if i else b"none") for i in range(9)])
    refused("f/x/0.png", tmp_path / "f.tar")
    whole = (tmp_path / "f.tar").read_bytes()
    (tmp_path / "g.tar").write_bytes(whole[:2500])
    refused("g.tar", tmp_path / "g.tar")


def header(name: str, size: bytes = b"%011o\0" % 0, kind: bytes = tarfile.REGTYPE) -> bytes:
    """An entry's, with a right sum."""
    entry = tarfile.TarInfo(name)
    entry.type = kind
    block = bytearray(entry.tobuf(tarfile.USTAR_FORMAT))
    block[124:136] = size
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


HOSTILE = {
    "a size below 0": header("x/1.png", b"\xff" * 11 + b"\x00"),
    "a size of exabytes": header("x/1.png", b"\x80\0\0\0" + b"\x7f" * 8),
    "a name of exabytes": header("x", b"\x80\0\0\0" + b"\x7f" * 8, tarfile.GNUTYPE_LONGNAME),
    "names of names": header("x", kind=tarfile.GNUTYPE_LONGNAME) * 5000,
    "no name": header(".") + header("x/1.png"),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_tar_is_one_sentence(tmp_path, content):
    (tmp_path / "t.tar").write_bytes(content + bytes(10240))
    with pytest.raises(DataError, match=r"t\.tar") as caught:
        pack([tmp_path / "t.tar"], tmp_path / "p", workers=1)
    assert "\n" not in str(caught.value)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_tar_is_read_or_refused(tmp_path, data):
    """Whatever is changed in it."""
    tar(tmp_path / "t.tar", [(f"x{i % 2}/{i}.png", bytes(600)) for i in range(4)])
    content = bytearray((tmp_path / "t.tar").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, 4 * 1536 - 1))] ^= data.draw(st.integers(1, 255))
    (tmp_path / "t.tar").write_bytes(content)
    try:
        found = of_tars([str(tmp_path / "t.tar")])
    except DataError:
        return
    for i in range(len(found.contents)):
        with contextlib.suppress(DataError):
            found.contents.content(i)


@needs("pyarrow is not installed (extra parquet)", "pyarrow")
@pytest.mark.parametrize("named", [True, False])
def test_parquet_files_of_hugging_face(tmp_path, named):
    import pyarrow
    from pyarrow import parquet

    features = {"label": {"names": ["cat", "dog", "fox"], "_type": "ClassLabel"}}
    about = {b"huggingface": json.dumps({"info": {"features": features}}).encode()}
    for name, start in (("train-00000-of-00002", 0), ("train-00001-of-00002", 20), ("test", 40)):
        images = [{"bytes": picture(start + i), "path": f"{i}.png"} for i in range(20)]
        columns = {"image": images, "label": [i % 3 for i in range(20)]}
        table = pyarrow.table(columns)
        parquet.write_table(
            table.replace_schema_metadata(about if named else None), tmp_path / f"{name}.parquet"
        )
    pack([*tmp_path.glob("*.parquet")], tmp_path / "p", workers=1)
    data = open_data(tmp_path / "p")
    assert data.classes == (("cat", "dog", "fox") if named else ("0", "1", "2"))
    there = found(data)
    assert len(there) == 60
    assert len(data.test) == 20
    assert there["train-00001-of-00002/4"][1:] == (data.classes[1], picture(24))
    with tarfile.open(tmp_path / "p" / "00000.tar") as shard:
        assert {name.partition(".")[2] for name in shard.getnames()} == {"png", "cls"}
    assert [*tmp_path.iterdir()] and not [*tmp_path.glob(".packing*")]


@needs("pyarrow is not installed (extra parquet)", "pyarrow")
def test_what_is_wrong_with_parquet_files(tmp_path):
    import pyarrow
    from pyarrow import parquet

    def refused(words, columns=None):
        if columns:
            parquet.write_table(pyarrow.table(columns), tmp_path / "train.parquet")
        with pytest.raises(DataError, match=words):
            pack([tmp_path / "train.parquet"], tmp_path / "p", workers=1)
        assert not (tmp_path / "p").exists()

    (tmp_path / "train.parquet").write_bytes(b"PAR1 nonsense")
    refused("cannot be read as Parquet")
    refused("has the columns text, label; one with the bytes", {"text": ["x"], "label": [1]})
    only_named = [{"bytes": None, "path": "1.png"}]
    refused("only named", {"image": only_named, "label": [1]})
    refused(
        "labels that are missing", {"image": [picture(1)], "label": pyarrow.array([None], "int64")}
    )


def test_check_data_reads_a_packed_set_again(tmp_path):
    files = [(f"class{i % 2}/{i}.png", picture(i)) for i in range(40)]
    tar(tmp_path / "all.tar", files)
    pack([tmp_path / "all.tar"], tmp_path / "p", workers=1)
    report = check_data(tmp_path / "p", workers=2)
    assert (report.images, report.problems) == (40, ())
    shard = tmp_path / "p" / "00000.tar"
    content = bytearray(shard.read_bytes())
    content[content.index(picture(7)) + 70] ^= 1
    shard.write_bytes(content)
    report = check_data(tmp_path / "p", workers=2)
    assert [found.file for found in report.problems] == [f"{tmp_path / 'p'}/all/class1/7.png"]
    assert "damaged in its shard" in report.problems[0].problem
    (tmp_path / "p" / "index.safetensors").write_bytes(b"")
    [found] = check_data(tmp_path / "p").problems
    assert found.sentence.startswith(f"the packed set '{tmp_path / 'p'}' is damaged (its index")
