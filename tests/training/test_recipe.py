"""A recipe survives its file, and refuses what it does not allow by naming field, value and what is
allowed.
"""

import subprocess
import sys
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convatlas.data import Augment
from convatlas.errors import RecipeError, UnknownNetwork
from convatlas.training import Recipe, builtin
from convatlas.training.recipe import differences


@given(
    lr=st.floats(1e-9, 1e9),
    epochs=st.integers(1, 10_000),
    flip=st.booleans(),
    data=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1),
    milestones=st.lists(st.floats(0.001, 0.9), unique=True, min_size=1, max_size=5).map(sorted),
)
def test_to_toml_and_back_is_the_same_recipe(lr, epochs, flip, data, milestones):
    recipe = Recipe(
        lr=lr, epochs=epochs, flip=flip, data=data, sched="step", milestones=tuple(milestones)
    )
    assert Recipe.from_toml(recipe.to_toml()) == recipe


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("lr", 0, "above 0"),
        ("lr", float("nan"), "a finite number"),
        ("lr", "0.1", "a finite number"),
        ("epochs", 0, "1 to 1000000"),
        ("epochs", 1.5, "a whole number"),
        ("epochs", True, "a whole number"),
        ("batch_size", -8, "1 to 16777216"),
        ("momentum", 1.0, "0 to 0.999"),
        ("opt", "lion", "sgd | adam | adamw"),
        ("sched", "cos", "constant | cosine | step | plateau"),
        ("flip", 1, "true or false"),
        ("milestones", (3.0, 2.0), "increasing"),
        ("milestones", 3, "a list of numbers"),
        ("label_smoothing", 1, "0 to 0.9"),
        ("val_fraction", 0, "above 0, up to 0.5"),
        ("test_from", "train", "auto | val"),
        ("seed", -1, "0 to 2147483647"),
        ("device", "tpu", "auto | cpu | cuda"),
        ("loss", "hinge", "cross-entropy | map | squared-error"),
        ("network", 5, "a text"),
        ("pad", -1, "0 to 512"),
        ("crop", "middle", "fit | center | random | random-resized"),
        ("resize", (480, 256), "the smaller first"),
        ("resize", (1,), "of 2 or more"),
        ("crop_scale", (0.0, 1.0), "two values above 0"),
        ("crop_scale", (0.5,), "two"),
        ("crop_ratio", (1.3, 0.7), "the smaller first"),
        ("sizes", (224, 1), "sides of 2 or more"),
        ("auto_augment", "fast", "randaugment"),
        ("bad_images", "ignore", "error | skip"),
        ("mixup", -0.1, "0 to 100"),
        ("random_erasing", 1.5, "0 to 1"),
        ("color_jitter", 2, "0 to 1"),
        ("lighting", float("inf"), "finite number"),
    ],
)
def test_a_value_that_is_not_allowed_is_named_with_what_is(field, value, says):
    with pytest.raises(RecipeError) as error:
        Recipe(**{field: value})
    assert field in str(error.value)
    assert repr(value) in str(error.value) or str(value) in str(error.value)
    assert says in str(error.value)


def test_every_field_has_a_help_and_a_default_that_is_allowed():
    assert Recipe() == Recipe.from_toml("")
    assert all(f.metadata["help"] for f in fields(Recipe))


def test_fields_that_contradict_each_other():
    with pytest.raises(RecipeError, match="needs milestones"):
        Recipe(sched="step")
    with pytest.raises(RecipeError, match="has no effect with loss = 'map'"):
        Recipe(loss="map", label_smoothing=0.1)
    with pytest.raises(RecipeError, match=r"cutmix = 1\.0 has no effect with loss = 'map'"):
        Recipe(loss="map", cutmix=1.0)


def test_recipes_and_images_share_one_declaration_of_each_augmentation():
    recipe, augment = ({f.name: f for f in fields(kind)} for kind in (Recipe, Augment))
    assert len(augment) == 18
    for name, declared in augment.items():
        assert recipe[name].metadata is declared.metadata
        assert recipe[name].default == declared.default


def test_a_recipe_is_read_without_torch():
    script = (
        "import sys; from convatlas.training import Recipe; Recipe(mixup=0.2); "
        "print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_a_field_that_a_run_recorded_under_its_old_name_is_read():
    assert Recipe.from_toml("fastest = true") == Recipe(autotune=True)


def test_an_unknown_key_names_the_file_and_the_nearest_field(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("epoch = 3\n")
    with pytest.raises(
        RecipeError, match=r"no field 'epoch' in .*mine\.toml; did you mean epochs\?"
    ):
        Recipe.read(path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"epochs = = 3", "is not TOML"),
        (b"\xff\xfe\x00", "it is written in UTF-16; save it as UTF-8"),
        (b"epochs = 0", "epochs = 0 is not allowed"),
    ],
)
def test_a_bad_file_is_named(tmp_path, content, says):
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(RecipeError, match=says) as error:
        Recipe.read(path)
    assert "bad.toml" in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(RecipeError, match=r"cannot read the recipe .*gone\.toml: No such file"):
        Recipe.read(tmp_path / "gone.toml")


def test_differences_leave_out_what_cannot_change_the_result():
    mnist = Recipe(data="mnist")
    assert differences(mnist, mnist.change(workers=4, save_every=1, data_root="/elsewhere")) == []
    assert differences(Recipe(lr=0.1), Recipe(lr=0.2)) == ["lr: 0.1, now 0.2"]


def test_there_are_built_in_recipes():
    assert set(builtin.names()) >= {"lenet5_digits", "lenet5_mnist", "resnet20_cifar10"}
    assert builtin.matching("resnet20_cifar", "my/images") == "modern"
    assert builtin.matching("lenet_caffe", "my/images") is None
    with pytest.raises(UnknownNetwork, match="did you mean resnet20_cifar"):
        builtin.matching("resnet20_cifr", "digits")


def test_resnet20_trains_as_the_paper_says():
    """Sec. 4.2: 64k iterations of 128, of 45,000 images; 0.1, then 0.01 at 32k and 0.001 at 48k."""
    recipe = builtin.read("resnet20_cifar10")
    steps = round(50_000 * (1 - recipe.val_fraction)) // recipe.batch_size
    assert [round(epoch * steps, -3) for epoch in (*recipe.milestones, recipe.epochs)] == [
        32_000,
        48_000,
        64_000,
    ]
    assert (
        recipe.batch_size,
        recipe.opt,
        recipe.lr,
        recipe.gamma,
        recipe.momentum,
        recipe.weight_decay,
        recipe.pad,
        recipe.flip,
        recipe.warmup_epochs,
    ) == (128, "sgd", 0.1, 0.1, 0.9, 1e-4, 4, True, 0)


def test_an_unknown_recipe_offers_the_nearest():
    with pytest.raises(
        RecipeError, match=r"no recipe called 'lenet5_mnits'; did you mean lenet5_mnist"
    ):
        builtin.read("lenet5_mnits")


def test_a_batch_is_parted_into_as_many_images_as_it_has_at_most():
    assert Recipe(batch_size=4, accumulate=4).accumulate == 4
    with pytest.raises(RecipeError, match="accumulate = 5 cannot part a batch of 4"):
        Recipe(batch_size=4, accumulate=5)
