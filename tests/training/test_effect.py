"""A field that is given has an effect, or is refused with what would give it one."""

import itertools
from dataclasses import fields

import pytest

from convatlas.cli import run
from convatlas.data.sources import SOURCES
from convatlas.errors import RecipeError
from convatlas.training import Recipe, builtin, effect
from convatlas.training.effect import as_field, as_flag
from convatlas.training.recipe import DEFAULTS

OTHER = {  # a value of each field that is not its default, and allowed beside the defaults' types
    "network": "lenet1989",
    "data": "my/images",
    "data_root": "elsewhere",
    "download": True,
    "bad_images": "skip",
    "check": "all",
    "missing_classes": "allow",
    "test_from": "val",
    "max_megapixels": 100.0,
    "white": 4095.0,
    "size": 40,
    "init": "he",
    "val_fraction": 0.2,
    "epochs": 20,
    "early_stopping": 3,
    "batch_size": 32,
    "opt": "sgd",
    "lr": 0.1,
    "body_lr": 0.5,
    "momentum": 0.5,
    "nesterov": True,
    "eps": 1e-3,
    "alpha": 0.9,
    "weight_decay": 0.1,
    "decay_norm": False,
    "clip_grad": 1.0,
    "accumulate": 2,
    "ema": 0.9,
    "sched": "constant",
    "warmup_epochs": 2.0,
    "warmup_lr": 1e-4,
    "milestones": (5.0,),
    "gamma": 0.5,
    "decay_epochs": 3.0,
    "power": 2.0,
    "patience": 3,
    "loss": "squared-error",
    "label_smoothing": 0.1,
    "class_weights": "balanced",
    "weights": "file.pth",
    "source": "timm",
    "weights_ema": True,
    "freeze": ("c1",),
    "freeze_bn": True,
    "sync_bn": True,
    "crop": "center",
    "resize": (48,),
    "crop_scale": (0.5, 1.0),
    "crop_ratio": (0.5, 2.0),
    "sizes": (32, 40),
    "pad": 4,
    "flip": True,
    "shift": 2.0,
    "rotate": 10.0,
    "scale": 0.1,
    "squeeze": 0.1,
    "shear": 0.1,
    "auto_augment": "randaugment",
    "color_jitter": 0.2,
    "lighting": 0.1,
    "random_erasing": 0.2,
    "mixup": 0.2,
    "cutmix": 1.0,
    "test_crops": "10",
    "test_sizes": (40,),
    "seed": 1,
    "deterministic": True,
    "amp": True,
    "channels_last": True,
    "compile": True,
    "autotune": True,
    "device": "cpu",
    "threads": 2,
    "workers": 2,
    "save_every": 1.0,
    "remote_sync": "s3://bucket/run",
    "timeout": 60.0,
    "test": False,
    "log_to": ("tensorboard",),
}
SERVES = {  # field -> (the field that decides, with which values it has an effect)
    "data_root": ("data", set(SOURCES) - {"digits"}),
    "download": ("data", set(SOURCES) - {"digits"}),
    "bad_images": ("data", {"my/images"}),
    "check": ("data", {"my/images"}),
    "missing_classes": ("data", {"my/images"}),
    "test_from": ("data", {"my/images"}),
    "max_megapixels": ("data", {"my/images"}),
    "white": ("data", {"my/images"}),
    "momentum": ("opt", {"sgd", "rmsprop", "rmsprop-tf"}),
    "nesterov": ("opt", {"sgd"}),
    "eps": ("opt", {"adam", "adamw", "rmsprop", "rmsprop-tf"}),
    "alpha": ("opt", {"rmsprop", "rmsprop-tf"}),
    "milestones": ("sched", {"step"}),
    "gamma": ("sched", {"step", "plateau", "exponential"}),
    "decay_epochs": ("sched", {"exponential"}),
    "power": ("sched", {"polynomial"}),
    "patience": ("sched", {"plateau"}),
    "label_smoothing": ("loss", {"cross-entropy"}),
    "mixup": ("loss", {"cross-entropy"}),
    "cutmix": ("loss", {"cross-entropy"}),
    "resize": ("crop", {"center", "random", "random-resized"}),
    "crop_scale": ("crop", {"random-resized"}),
    "crop_ratio": ("crop", {"random-resized"}),
    "amp": ("autotune", {False}),
    "channels_last": ("autotune", {False}),
    "sync_bn": ("freeze_bn", {False}),
    "source": ("weights", {"file.pth"}),
    "weights_ema": ("weights", {"file.pth"}),
    "decay_norm": ("weight_decay", {0.02}),
    "warmup_lr": ("warmup_epochs", {1.0}),
}
VALUES = {  # of the fields that decide
    "data": [*SOURCES, "my/images"],
    **{
        f.name: f.metadata["allowed"].split(" | ")
        for f in fields(Recipe)
        if f.name in ("opt", "sched", "loss", "crop")
    },
    "autotune": [False, True],
    "freeze_bn": [False, True],
    "weights": ["", "file.pth"],
    "weight_decay": [0.0, 0.02],
    "warmup_epochs": [0.0, 1.0],
}
CASES = [
    pytest.param(field, decider, value, id=f"{field}-{decider}-{value}")
    for field, (decider, _) in SERVES.items()
    for value in VALUES[decider]
]


def beside(field: str, decider: str, value) -> dict:
    """The field and what decides, with what else a legal recipe of these needs."""
    needed = {"milestones": (5.0,)} if value == "step" else {}
    return needed | {decider: value, field: OTHER[field]}


def test_the_tables_are_whole():
    """A field that is new belongs in OTHER; one that some other field can switch off, in SERVES."""
    assert set(OTHER) == set(DEFAULTS)
    assert all(value != DEFAULTS[name] for name, value in OTHER.items())
    assert set(SERVES) == set(effect.USES)
    assert {*effect.PUBLISHED, *effect.BUILT_IN} == set(SOURCES)


@pytest.mark.parametrize(("field", "decider", "value"), CASES)
def test_a_field_is_taken_where_it_has_an_effect_and_refused_elsewhere(field, decider, value):
    given = beside(field, decider, value)
    if value in SERVES[field][1]:
        recipe = Recipe(**given)
        assert getattr(recipe, field) == OTHER[field]
        assert Recipe.from_toml(recipe.to_toml()) == Recipe().change(**given) == recipe
        return
    with pytest.raises(RecipeError) as error:
        Recipe(**given)
    assert f"{field} = " in str(error.value) and f"has no effect with {decider} = " in str(
        error.value
    )
    text = "\n".join(line for line in as_toml(given))
    with pytest.raises(RecipeError, match=rf"mine\.toml: {field} = "):
        Recipe.from_toml(text, "mine.toml")
    with pytest.raises(RecipeError) as error:
        Recipe().merge(given, as_flag)
    assert str(error.value).startswith(as_flag(field, OTHER[field]) + " has no effect with --")


def as_toml(given: dict) -> list[str]:
    def written(value) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        return repr(list(value) if isinstance(value, tuple) else value)

    return [f"{name} = {written(value)}" for name, value in given.items()]


@pytest.mark.parametrize("field", [name for name in OTHER if name not in SERVES])
def test_every_other_field_is_taken_beside_the_defaults(field):
    needed = {"milestones": (5.0,)} if OTHER[field] == "step" else {}
    assert getattr(Recipe().change(**{field: OTHER[field]}, **needed), field) == OTHER[field]


@pytest.mark.parametrize(("field", "decider", "value"), CASES)
def test_a_recipe_stays_usable_when_a_flag_takes_an_effect_away(field, decider, value):
    """What was given before, and is without effect now, goes back to its default."""
    with_effect = beside(field, decider, next(iter(SERVES[field][1])))
    base = Recipe(**with_effect)
    needed = {"milestones": (5.0,)} if value == "step" else {}
    changed = base.change(**{decider: value}, **needed)
    kept = value in SERVES[field][1] or field in needed
    assert getattr(changed, field) == (OTHER[field] if kept else DEFAULTS[field])
    assert Recipe.from_toml(changed.to_toml()) == changed


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"opt": "sgd", "momentum": 0, "nesterov": True}, "nesterov = True has no effect with mom"),
        ({"mixup": 0.2, "batch_size": 1}, "images are mixed in pairs"),
        ({"cutmix": 0.2, "batch_size": 1}, "give batch_size = 2"),
        ({"crop": "center", "resize": (40, 50)}, "the second value of resize"),
        ({"warmup_epochs": 10, "epochs": 1}, "only rise to 10% of lr = 0.002"),
        ({"sched": "step", "milestones": (5, 30)}, "the rate falls 1 times only"),
        ({"sched": "exponential", "decay_epochs": 30}, "the rate never falls"),
        ({"sched": "plateau", "patience": 28}, "patience = 28 is too long for epochs = 30"),
        ({"early_stopping": 29}, "never ends early"),
        ({"deterministic": True, "autotune": True}, "exclude each other"),
    ],
)
def test_a_value_that_never_acts_is_refused(given, says):
    for make in (lambda: Recipe(**given), lambda: Recipe().change(**given)):
        with pytest.raises(RecipeError) as error:
            make()
        assert says in str(error.value)
    with pytest.raises(RecipeError, match=r"mine\.toml: "):
        Recipe.from_toml("\n".join(as_toml(given)), "mine.toml")


@pytest.mark.parametrize("flag", ["--patience 5", "--gamma 0.1", "--momentum 0.9", "--eps 1e-8"])
def test_a_flag_without_effect_is_refused_though_it_says_the_default(flag, capsys):
    other = ["--opt", "sgd"] if flag.startswith("--eps") else []
    assert run(["train", "lenet5", *flag.split(), *other]) == 2
    said = capsys.readouterr().err
    assert f"{flag.split()[0]} " in said and "has no effect with --" in said
    assert said.count("\n") == 1


def test_what_is_off_anyway_may_be_said():
    assert Recipe().change(nesterov=False, mixup=0.0, warmup_lr=0.0, milestones=()) == Recipe()
    assert Recipe.from_toml("momentum = 0.9\npatience = 5\nmilestones = []\n") == Recipe()


def test_flags_complete_a_file_of_ones_own(tmp_path):
    """What the file alone would not allow is judged together with the flags."""
    file = tmp_path / "mine.toml"
    file.write_text("milestones = [3]\n")
    with pytest.raises(RecipeError, match=r"milestones = \[3\.0\] has no effect"):
        builtin.read(str(file))
    assert builtin.read(str(file), {"sched": "step"}).milestones == (3.0,)
    file.write_text('sched = "step"\n')
    with pytest.raises(RecipeError, match="needs milestones"):
        builtin.read(str(file))
    assert builtin.read(str(file), {"milestones": (3.0,)}).sched == "step"


def test_what_a_flag_leaves_without_effect_is_named(capsys, tmp_path):
    broken = tmp_path / "nowhere"
    words = ["train", "--recipe", "efficientnet", "--opt", "sgd", "--data", str(broken)]
    assert run(words) == 1
    printed = capsys.readouterr().out
    assert "left out of the recipe, as without effect now: alpha = 0.9, eps = 0.001" in printed


@pytest.mark.parametrize("name", builtin.names())
def test_every_built_in_recipe_takes_every_optimiser_schedule_loss_and_cut(name):
    base = builtin.read(name)
    for decider, value in itertools.chain(
        *([(name, value) for value in VALUES[name]] for name in ("opt", "sched", "loss", "crop"))
    ):
        needed = {"milestones": base.milestones or (0.5,)} if value == "step" else {}
        changed = base.change(**{decider: value}, **needed)
        assert getattr(changed, decider) == value
        assert (
            effect.inert(changed, [n for n, v in DEFAULTS.items() if getattr(changed, n) != v])
            == {}
        )


def test_a_run_s_own_record_is_read_whatever_in_it_has_no_effect(tmp_path):
    """Older versions took such flags: the run goes on as it began, and nothing of it changes."""
    file = tmp_path / "recipe.toml"
    old = Recipe().to_toml().replace("patience = 5", "patience = 3")
    file.write_text(old.replace("warmup_epochs = 1.0", "warmup_epochs = 90.0"))
    recorded = Recipe.recorded(file)
    assert (recorded.patience, recorded.warmup_epochs) == (3, 90.0)
    assert recorded.change() == recorded.change(workers=2, save_every=1).change(
        workers=-1, save_every=15.0
    )
    assert recorded.change().patience == 3
    file.write_text("epochs = 0\n")
    with pytest.raises(RecipeError, match=r"recipe\.toml: epochs = 0 is not allowed"):
        Recipe.recorded(file)


def test_a_shorter_run_of_a_recipe_is_allowed_and_its_record_too():
    short = builtin.read("modern").change(epochs=1)
    assert "33% of lr" in effect.out_of_reach(short)["warmup_epochs"]
    assert Recipe.from_toml(short.to_toml()) == short
    with pytest.raises(RecipeError, match="--warmup-epochs 4 is longer than --epochs 1"):
        builtin.read("modern", {"epochs": 1, "warmup_epochs": 4}, as_flag)


@pytest.mark.parametrize(
    ("name", "value", "field", "flag"),
    [
        ("lr", 0.1, "lr = 0.1", "--lr 0.1"),
        ("opt", "sgd", "opt = 'sgd'", "--opt sgd"),
        ("flip", True, "flip = True", "--flip"),
        ("decay_norm", False, "decay_norm = False", "--no-decay-norm"),
        ("milestones", (3.0, 5.0), "milestones = [3.0, 5.0]", "--milestones 3 5"),
        ("weights", "", "weights = ''", "--weights ''"),
        ("batch_size", None, "batch_size", "--batch-size"),
    ],
)
def test_a_field_is_spelled_as_it_is_typed(name, value, field, flag):
    assert (as_field(name, value), as_flag(name, value)) == (field, flag)
