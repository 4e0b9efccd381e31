"""explain as it is typed."""

import re

import pytest

from convatlas.cli import run as command


def typed(capsys, *words: object) -> tuple[int, str, str]:
    code = command([str(word) for word in ("explain", *words)])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_pictures_maps_filters_fields_neighbours_and_mistakes(run, pictures, tmp_path, capsys):
    place = tmp_path / "all.html"
    flags = ("--maps", "H1", "--filters", "H1", "--filters", "H3", "--field", "H2@0,0")
    code, out, err = typed(
        *(capsys, run, pictures / "3.png", *flags, "--nearest", "--worst", 3, "-o", place)
    )
    assert (code, err) == (0, "")
    assert re.search(r"3\.png: \d +\d+\.\d %", out)
    assert re.search(
        r"\d+ of 126 validation pictures of digits answered wrongly; here the 3 most", out
    )
    assert out.endswith(f"written: {place}\n")
    page = place.read_text()
    assert page.count("<section>") == 1 + 1 + 2 + 3
    for said in ("H1: all 4 maps", "unit 0,0", "nearest of", "filters of H3", "truth: ", "cosine"):
        assert said in page


def test_a_folder_with_a_file_that_is_none(run, pictures, tmp_path, capsys):
    place = tmp_path / "folder"
    code, out, err = typed(capsys, run, pictures, "-o", place, "--class", "3")
    assert code == 1
    assert "none.png" in out
    assert f"written: {place / 'index.html'} and 2 pictures beside it" in out
    assert "for 3" in (place / "index.html").read_text()
    assert sorted(path.name for path in place.iterdir()) == ["001.png", "002.png", "index.html"]
    assert err == ""


def test_its_own_test_pictures_with_the_truth(run, tmp_path, capsys):
    code, out, _ = typed(
        capsys, run, "--test", 2, "--method", "occlusion", "-o", tmp_path / "a.png"
    )
    assert code == 0
    assert len(re.findall(r"\(truth: \d\): ", out)) == 2
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_the_test_set_is_looked_at_only_where_it_is_asked_for(run, tmp_path, capsys):
    place = tmp_path / "a.html"
    assert "validation pictures" in typed(capsys, run, "--worst", 1, "-o", place)[1]
    code, out, _ = typed(capsys, run, "--worst", 1, "--split", "test", "-o", place)
    assert (code, "of 540 test pictures of digits" in out) == (0, True)


def test_a_receptive_field_needs_no_weights(pictures, tmp_path, capsys):
    place = tmp_path / "field.html"
    code, out, _ = typed(
        *(capsys, "vgg16", pictures / "7.png", "--field", "conv5_3", "--field", "conv1_1@0,0"),
        *("-o", place),
    )
    assert code == 0
    assert "conv5.conv5_3, unit 7,7 of 14x14, sees 196x196 pixels" in out
    assert "sees 3x3 pixels, 2x2 of them in the picture" in out
    assert "needs no weights" in place.read_text()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "which pictures? give files or folders, or --test 4"),
        (("PICTURE", "--test", 1), 2, "leave out one or the other"),
        (("--worst", -1), 2, "must be 0 or more"),
        (("PICTURE", "--split", "val"), 2, "--split says of which pictures --worst is"),
        (("PICTURE", "--data", "x"), 2, "--data says where the pictures of --worst"),
        (("--worst", 1, "--split", "none"), 2, "split = 'none' is not allowed"),
        (("--worst", 1, "--nearest"), 2, "--nearest is of pictures"),
        (("PICTURE", "--method", "lime"), 1, "there is no method 'lime'"),
        (("PICTURE", "--layer", "H9"), 1, "lenet1989 has no layer 'H9'; its layers are H1, "),
        (("PICTURE", "--maps", "H9"), 1, "lenet1989 has no layer 'H9'"),
        (("PICTURE", "--field", "H1@99,99"), 1, "H1 has no unit 99,99"),
        (("PICTURE", "--class", "10"), 1, "there is no class 10; the network knows 10"),
        (("PICTURE", "--class", "cat"), 1, "there is no class 'cat'"),
        (("PICTURE", "-o", "x.txt"), 1, "give a file that ends in .png or .html"),
        (("none.jpg",), 1, "the image 'none.jpg' does not exist"),
        (("PICTURE", "--max-megapixels", 0), 1, "max_megapixels = 0 is not allowed"),
    ],
)
def test_what_goes_wrong_is_one_sentence(run, pictures, tmp_path, capsys, words, code, said):
    given = [pictures / "3.png" if word == "PICTURE" else word for word in words]
    place = () if "-o" in words else ("-o", tmp_path / "x.html")
    found = typed(capsys, run, *given, *place)
    assert found[0] == code
    assert said in found[2]
    assert found[2].count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_run(pictures, tmp_path, capsys):
    for place, code, said in (
        ("lenet5", 2, "lenet5 is a network without weights; give --weights"),
        ("lenet", 1, "cannot read lenet/model.json"),
        ("lenet5.onnx", 2, "is an exported file, into which nobody can look"),
    ):
        found = typed(capsys, place, pictures / "3.png", "-o", tmp_path / "x.html")
        assert (found[0], said in found[2]) == (code, True), found


def test_what_is_left_out_of_other_pictures_is_said_whatever_they_are_for(
    run, pictures, tmp_path, capsys
):
    place = tmp_path / "set" / "3"
    place.mkdir(parents=True)
    (place / "a.png").write_bytes((pictures / "3.png").read_bytes())
    (place / "list.csv").write_text("no picture")
    for asked in (("--test", 1), ("--worst", 1)):
        given = (*asked, "--data", tmp_path / "set", "-o", tmp_path / "a.html")
        code, _, err = typed(capsys, run, *given)
        assert (code, err.count("note: ")) == (0, 1)
        assert err.startswith("note: files that are no images are not measured: ")
