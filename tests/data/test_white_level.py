"""Images of more than 8 bits: what is white is a property of the set, and none is guessed at."""

import json

import numpy as np
import pytest
import torch
from deep_images import deep_png, deep_tiff
from PIL import Image

from convatlas.data import Augment, Loader, Preprocess, fit_preprocess, open_data, read_image
from convatlas.data.image_file import deep_range
from convatlas.data.survey import examine
from convatlas.errors import DataError

RNG = np.random.default_rng(5)


def expected(values: np.ndarray, white: float) -> np.ndarray:
    """uint8 (C, H, W), by fractions: another way than the one that is tested."""
    return np.floor(values.astype(np.float64) * 255 / white + 0.5).clip(0, 255).transpose(2, 0, 1)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_level_of_a_camera_is_kept(tmp_path, bits, channels):
    """12 bits in a file of 16 kept 16 grey levels when each was divided by 65,535."""
    white = 2**bits - 1
    values = np.repeat(np.linspace(0, white, 4096).astype(np.uint16), channels)
    (tmp_path / "a.png").write_bytes(deep_png(values.reshape(64, 64, channels)))
    image = read_image(tmp_path / "a.png", white=float(white))
    assert len(image.unique()) == 256
    wanted = expected(values.reshape(64, 64, channels), white)
    if (bits, channels) != (16, 3):  # whose upper bytes are taken, as ever
        assert (image.numpy() == wanted).all()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("channels", [3, 4])
def test_tiff_with_colours_of_sixteen_bits(tmp_path, order, planar, channels):
    """Pillow takes those that lie plane by plane for bytes: another image, without a word."""
    values = RNG.integers(0, 4096, (9, 7, channels)).astype(np.uint16)
    if channels == 4:
        values[..., 3] = 65535
    path = tmp_path / "a.tif"
    for packed in (False, True):
        path.write_bytes(deep_tiff(values, order, planar, packed))
        assert (read_image(path).numpy() == (values[..., :3] >> 8).transpose(2, 0, 1)).all()
        if planar and packed:  # libtiff parts these, and gives the upper bytes alone
            assert deep_range(path) == (0, 65535, "RGBA" if channels == 4 else "RGB")
            with pytest.raises(DataError, match=r"16 bits a channel.*; save it as a PNG"):
                read_image(path, white=4095)
        else:
            image = read_image(path, white=4095).numpy()
            assert (image == expected(values[..., :3], 4095)).all()


@pytest.mark.parametrize("channels", [2, 4])
def test_transparency_of_sixteen_bits_shows_white(tmp_path, channels):
    values = RNG.integers(0, 4096, (5, 6, channels)).astype(np.uint16)
    values[..., -1] = np.where(RNG.random((5, 6)) < 0.5, 0, 65535)
    (tmp_path / "a.png").write_bytes(deep_png(values))
    image = read_image(tmp_path / "a.png", white=4095).numpy()
    clear = values[..., -1] == 0
    assert (image[:, clear] == 255).all()
    assert (image[:, ~clear] == expected(values[..., :-1], 4095)[:, ~clear]).all()


@pytest.mark.parametrize("largest", [1000, 4095, 65535])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_pgm_says_itself_what_its_largest_value_is(tmp_path, largest, channels):
    values = RNG.integers(0, largest + 1, (6, 5, channels)).astype(">u2")
    values.flat[0] = largest
    head = f"P{5 if channels == 1 else 6}\n# a camera\n5 6\n{largest}\n".encode()
    (tmp_path / "a.pnm").write_bytes(head + values.tobytes())
    image = read_image(tmp_path / "a.pnm").numpy()
    assert np.abs(image - expected(values, largest)).max() <= 1  # rounded to 16 bits between
    assert deep_range(tmp_path / "a.pnm")[1] == 65535


def a_set(tmp_path, tops: dict[str, float], kind=np.uint16, ending="png"):
    """Two classes in train, val and test, whose brightest values are `tops`."""
    for part, top in tops.items():
        for name in "ab":
            folder = tmp_path / "set" / part / name
            folder.mkdir(parents=True, exist_ok=True)
            for i in range(3):
                values = RNG.random((8, 8)) * top * (1 if i else 0.1)  # one is dark
                if i:
                    values.flat[0] = top
                Image.fromarray(values.astype(kind)).save(folder / f"{i}.{ending}")
    return tmp_path / "set"


@pytest.mark.parametrize(
    ("top", "kind", "ending", "white"),
    [
        (200, np.uint16, "png", 255),
        (900, np.uint16, "png", 1023),
        (3000, np.uint16, "tif", 4095),
        (16000, np.uint16, "png", 16383),
        (40000, np.uint16, "png", 65535),
        (200, np.int32, "tif", 255),
        (60000, np.int32, "tif", 65535),
        (0.8, np.float32, "tif", 1),
        (200.5, np.float32, "tif", 255),
        (1000.5, np.float32, "tif", 1023),
        (0.8, np.float32, "pfm", 1),
    ],
)
def test_the_training_images_say_what_is_white(tmp_path, top, kind, ending, white):
    data = open_data(a_set(tmp_path, dict.fromkeys(("train", "val", "test"), top), kind, ending))
    prep = fit_preprocess(data, 8)
    assert prep.white == white
    assert Preprocess.from_dict(json.loads(json.dumps(prep.to_dict()))) == prep
    brightest = max(
        data.train.read(i, white=prep.white).max().item() for i in range(len(data.train))
    )
    assert brightest == round(float(np.array(top, kind)) * 255 / white)
    for image, file in zip(
        next(iter(Loader(data.train, prep, 6).all()))[0], data.train.names, strict=True
    ):
        whole = read_image(data.train.root / file, white=prep.white)
        assert torch.equal(image, prep.normalise(prep.fit_image(whole)[None])[0])


def test_all_ways_to_a_batch_use_it(tmp_path):
    data = open_data(a_set(tmp_path, dict.fromkeys(("train", "val", "test"), 4000)))
    prep = fit_preprocess(data, 8)
    other = Preprocess(**vars(prep) | {"white": 65535.0})
    for augment in (None, Augment(crop="random", resize=(8, 10))):
        for limit in (0, 2**20):
            right, wrong = (
                next(Loader(data.train, p, 6, augment=augment, memory_limit=limit).epoch(0))[0]
                for p in (prep, other)
            )
            assert right.max() > wrong.max() + 1, (augment, limit)


def test_a_set_of_eight_bits_has_none_and_its_record_is_as_before(make_folder, tmp_path):
    prep = fit_preprocess(open_data(make_folder({"a": 5, "b": 5})), 12)
    assert prep.white is None
    with pytest.raises(DataError, match=r"--white 255 has no effect, .*; leave it out"):
        fit_preprocess(open_data(tmp_path / "set"), 12, white=255)
    assert list(prep.to_dict()) == ["channels", "side", "mean", "std", "fit", "content"]


@pytest.mark.parametrize("white", [0, -1, True, "255", float("nan"), float("inf"), 1e300, [255]])
def test_an_impossible_white_is_refused(white):
    record = Preprocess(1, 8, (0.1,), (0.3,), "pad", 8).to_dict()
    with pytest.raises(DataError, match="impossible white"):
        Preprocess.from_dict(record | {"white": white})


def test_values_beyond_white_are_refused_by_name_before_the_first_step(tmp_path):
    root = a_set(tmp_path, {"train": 900, "val": 900, "test": 900})
    Image.fromarray(np.full((8, 8), 2000, np.uint16)).save(root / "val/a/bright.png")
    data = open_data(root)
    with pytest.raises(DataError) as caught:
        fit_preprocess(data, 8)
    assert "bright.png' reaches 2000, but in this set 1023 is white; give --white 4095" in str(
        caught.value
    )
    prep = fit_preprocess(data, 8, white=4095)
    assert prep.white == 4095
    assert len(list(Loader(data.val, prep, 8).all())) == 1


@pytest.mark.parametrize("top", [1.02, 100])
def test_fractions_that_say_nothing_are_not_guessed_at(tmp_path, top):
    parts = dict.fromkeys(("train", "val", "test"), top)
    data = open_data(a_set(tmp_path, parts, np.float32, "tif"))
    with pytest.raises(DataError, match=rf"is {top:g}, in .*--white {top:g}"):
        fit_preprocess(data, 8)
    assert fit_preprocess(data, 8, white=255).white == 255


def test_whole_numbers_above_sixteen_bits_are_not_guessed_at(tmp_path):
    parts = dict.fromkeys(("train", "val", "test"), 100_000)
    data = open_data(a_set(tmp_path, parts, np.int32, "tif"))
    with pytest.raises(DataError, match="--white 100000"):
        fit_preprocess(data, 8)
    prep = fit_preprocess(data, 8, white=2**20 - 1)
    assert data.train.read(1, white=prep.white).max() == round(100_000 * 255 / (2**20 - 1))


def test_fractions_beside_whole_numbers_of_another_range_are_refused(tmp_path):
    root = a_set(tmp_path, dict.fromkeys(("train", "val", "test"), 4000))
    Image.fromarray(np.full((8, 8), 0.5, np.float32)).save(root / "train/a/half.tif")
    with pytest.raises(DataError, match=r"mix fractions up to 1 .*half.tif.* up to 4095 "):
        fit_preprocess(open_data(root), 8)


def test_images_of_eight_bits_in_a_deep_set_keep_their_own_white(tmp_path):
    root = a_set(tmp_path, dict.fromkeys(("train", "val", "test"), 4000))
    grey = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
    Image.fromarray(grey).save(root / "train/a/grey.png")
    data = open_data(root)
    prep = fit_preprocess(data, 8)
    assert prep.white == 4095
    image = data.train.read(data.train.names.index("train/a/grey.png"), white=prep.white)
    assert (image[0].numpy() == grey).all()


def test_a_set_with_few_deep_images_has_their_white(tmp_path, make_folder):
    root = make_folder({"a": 6, "b": 6}, mode="L")
    Image.fromarray(np.full((10, 12), 4000, np.uint16)).save(root / "a/deep.png")
    assert fit_preprocess(open_data(root), 12).white == 4095


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([[-1, 5]], "from -1 to 5; save it without negative ones"),
        ([[float("nan"), 1]], "no numbers (NaN or infinity); save it without them"),
        ([[0, float("inf")]], "no numbers"),
        ([[0, 4096]], "from 0 to 4096, but in this set 4095 is white"),
        (
            [[0.25, 0.5]],
            "fractions from 0.25 to 0.5, but this set whole numbers, of which 4095 is white",
        ),
    ],
)
def test_what_no_white_can_mend(tmp_path, values, reason):
    path = tmp_path / "a.tif"
    Image.fromarray(np.array(values, np.float32)).save(path)
    with pytest.raises(DataError) as caught:
        read_image(path, white=4095)
    assert reason in str(caught.value)
    assert repr(str(path)) in str(caught.value)
    if ";" in reason and "white" not in reason:
        assert reason.split(";")[0] in examine(path).reason


@pytest.mark.parametrize("kind", [np.int32, np.float32])
def test_outside_a_set_nothing_says_what_is_white(tmp_path, kind):
    """0..1, 0..255 and 0..65,535 were chosen from the brightest value of each image."""
    path = tmp_path / "a.tif"
    Image.fromarray(np.array([[0, 1], [100, 200]], kind)).save(path)
    with pytest.raises(DataError, match="which one is white"):
        read_image(path)
    assert read_image(path, white=255).flatten().tolist() == [0, 1, 100, 200]
    assert examine(path).reason == ""


def test_predict_uses_it(tmp_path):
    import convatlas
    from convatlas.model_file import Saved

    data = open_data(a_set(tmp_path, dict.fromkeys(("train", "val", "test"), 3000)))
    prep = fit_preprocess(data, 28)
    net = convatlas.create_model("lenet1989", num_classes=2).eval()
    saved = Saved(net, "lenet1989", ("a", "b"), prep, {})
    x = torch.cat([batch for batch, _, _ in Loader(data.test, prep, 8).all()])
    x = torch.nn.functional.interpolate(x, 28) if x.shape[-1] != 28 else x
    wanted = net(x).softmax(1).max(1).values.tolist()
    files = [data.test.root / name for name in data.test.names]
    found = convatlas.predict(saved, files, top=1)
    assert [one.probabilities[0] for one in found] == pytest.approx(wanted, abs=1e-5)
    Image.fromarray(np.full((8, 8), 5000, np.uint16)).save(tmp_path / "bright.png")
    (refused,) = convatlas.predict(saved, tmp_path / "bright.png")
    assert "in this set 4095 is white" in refused.problem
