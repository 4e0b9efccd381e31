"""What may be varied, what is said of what may not, and which recipe each run gets."""

import pytest

from convatlas.errors import RecipeError
from convatlas.study import asking
from convatlas.study.plan import Asked
from convatlas.training import builtin
from convatlas.training.recipe import Recipe


def test_values_are_read_by_their_fields():
    found = asking.values_of(
        ["lr=1e-3,3e-3", "batch-size=32, 64", "nesterov=yes,no", "opt=sgd,adamw", "recipe=a,b"]
    )
    assert found == {
        "lr": [0.001, 0.003],
        "batch_size": [32, 64],
        "nesterov": [True, False],
        "opt": ["sgd", "adamw"],
        "recipe": ["a", "b"],
    }
    assert [type(value) for value in found["batch_size"]] == [int, int]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("lr", "--vary takes a field and its values, as in lr=1e-3,3e-3, not 'lr'"),
        ("lr=1e-3", "--vary lr has one value; give several, or the one as --lr"),
        ("lr=1e-3,0.001", "--vary lr has the same value twice: [0.001, 0.001]"),
        ("lr=fast,slow", "--vary lr takes numbers, not 'fast'"),
        ("batch_size=1.5,2", "--vary batch_size takes whole numbers, not '1.5'"),
        ("nesterov=maybe,no", "--vary nesterov takes true or false, not 'maybe'"),
        ("seed=1,2", "--vary cannot take seed: --seeds says how many there are"),
        ("workers=1,2", "--vary cannot take workers, which does not change the result"),
        ("lrr=1,2", "there is no field 'lrr' to vary; did you mean lr?"),
    ],
)
def test_what_cannot_be_varied_is_refused(text, sentence):
    with pytest.raises(RecipeError) as refused:
        asking.values_of([text])
    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    "name", ["test_crops", "test_sizes", "test_from", "val_fraction", "milestones"]
)
def test_nothing_is_varied_that_validation_could_not_choose(name):
    with pytest.raises(RecipeError, match=f"--vary cannot take {name}"):
        asking.values_of([f"{name}=1,2"])


def test_every_combination_is_a_setting():
    asked = Asked((), (), 1, vary={"lr": [0.1, 0.2], "ema": [0.0, 0.9]})
    assert list(asking.settings_of(asked)) == [
        {"lr": 0.1, "ema": 0.0},
        {"lr": 0.1, "ema": 0.9},
        {"lr": 0.2, "ema": 0.0},
        {"lr": 0.2, "ema": 0.9},
    ]
    assert list(asking.settings_of(Asked((), (), 1))) == [{}]


@pytest.mark.parametrize(
    ("network", "built_in"), [("lenet5", "lenet5_digits"), ("resnet20_cifar", "modern")]
)
def test_a_recipe_is_that_of_train_with_one_thread(network, built_in):
    given = {"network": network, "data": "digits"}
    trained = builtin.read(built_in, given)
    assert asking.recipe_of(Asked((), (), 1), network, "digits", {}) == trained.change(threads=1)


def test_flags_and_settings_change_it():
    asked = Asked((), (), 1, given={"epochs": 7, "threads": 2})
    found = asking.recipe_of(asked, "lenet_caffe", "digits", {"lr": 0.5})
    assert found == Recipe(network="lenet_caffe", epochs=7, threads=2, lr=0.5)


def test_whole_recipes_can_be_varied():
    asked = Asked((), (), 1, vary={"recipe": ["modern", "resnet"]})
    rates = [
        asking.recipe_of(asked, "resnet20_cifar", "digits", setting).lr
        for setting in asking.settings_of(asked)
    ]
    assert rates == [builtin.read("modern").lr, builtin.read("resnet").lr]
