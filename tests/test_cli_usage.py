"""Help, shell completion, and what is said to somebody who types what another program takes."""

import json
import os
import pty
import re
import shlex
import subprocess
import sys
from dataclasses import fields

import pytest

from convatlas import registry
from convatlas.cli import COMMANDS, app, examples, printing, run, runs, usage
from convatlas.elsewhere import flags
from convatlas.training import Recipe

NAMES = [name for commands in COMMANDS.values() for name in commands]
# Issue and audit: what people who come from elsewhere have typed
TYPED = """--pretrained --num-classes --imgsz --img-size --wd --learning-rate --dropout --drop-rate
--deterministic --model --arch --data-path --data-dir --output-dir --print-freq --test-only
--tracker --log-wandb --lr-scheduler --optimizer --batch --epochs --gpu --gpus --num-workers
--mixup-alpha
--cutmix-alpha --label-smoothing --smoothing --warmup --lr-warmup-epochs --model-ema --amp --fp16
--checkpoint --evaluate --patience --project --name --cache --hflip --color-jitter --aa --reprob
--mixup --lr-step-size --val-split --freeze-layers --early-stopping --use-cpu --bf16 --config
--gradient-accumulation-steps --per-device-train-batch-size --in-chans --crop-pct --report-to
--world-size --save-period --exist-ok --auto-augment --fastest --resume --drop-path"""


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def out_of(capsys, *words: str) -> str:
    assert run(list(words)) == 0
    return capsys.readouterr().out


def error_of(capsys, *words: str, code: int = 2) -> str:
    assert run(list(words)) == code
    printed = capsys.readouterr()
    assert printed.err.startswith("convatlas: ")
    assert printed.err.count("\n") == 1
    return printed.err.removeprefix("convatlas: ").rstrip()


# Numbers


@pytest.mark.parametrize(
    ("typed", "flag", "value"),
    [
        ("train lenet5 --epochs 2.5", "--epochs", "2.5"),
        ("train lenet5 -b1.5", "-b", "1.5"),
        ("train lenet5 -b 1.5", "-b", "1.5"),
        ("train lenet5 --seed=-0.5", "--seed", "-0.5"),
        ("train lenet5 --imgsz 32.5", "--size", "32.5"),
        ("train lenet5 --epochs 1.e999", "--epochs", "1.e999"),
        ("compress run --bits 5.5", "--bits", "5.5"),
        ("predict run a.png --top .5", "--top", ".5"),
        ("list --year 1998.4", "--year", "1998.4"),
    ],
)
def test_a_fraction_is_not_rounded_to_a_whole_number(capsys, typed, flag, value):
    assert f"{flag} takes a whole number, not '{value}'" in error_of(capsys, *typed.split())


@pytest.mark.parametrize("typed", ["--sizes 256 288.5", "--sizes [256.5]", "--sizes=0.1"])
def test_nor_is_one_of_several(capsys, typed):
    said = error_of(capsys, "eval", "run", *typed.split())
    assert "--sizes takes whole numbers, not '" in said


def test_what_is_whole_or_no_whole_number_is_wanted_stays(capsys):
    assert "epochs = 0 is not allowed" in error_of(capsys, "train", "lenet5", "--epochs", "0.0")
    assert "lr = 0.0 is not allowed" in error_of(capsys, "train", "lenet5", "--lr", "0.0")
    assert "--epochs takes a whole number, not 'a.b'" in error_of(
        capsys, "train", "lenet5", "--epochs", "a.b"
    )
    assert "there is no run" in error_of(capsys, "train", "--resume", "a.5", "--epochs", "2")


# Help


def test_commands_stand_in_the_order_of_work(capsys):
    text = out_of(capsys, "--help")
    places = [re.search(rf"^│ {name} ", text, re.M).start() for name in NAMES]
    assert places == sorted(places)
    assert [*NAMES] == [
        *("list", "show", "draw", "cost", "diff", "identify", "verify", "scale", "explore"),
        *("recipes", "check-data", "pack", "lr-find", "train", "eval", "predict", "explain"),
        *("bench",),
        *("compare", "study", "report"),
        *("export", "serve", "convert", "compress", "netadapt", "card", "push"),
    ]


@pytest.mark.parametrize("name", ["", *NAMES])
def test_every_help_has_examples_and_names_debug(name, capsys):
    text = out_of(capsys, *filter(None, [name]), "--help")
    assert "--debug after any command" in " ".join(text.split())
    for line, _ in examples.EXAMPLES[name]:
        assert line in text
    assert max(map(len, text.splitlines())) <= 80
    assert text.replace("convatlas help  ", "") == out_of(capsys, "help", *filter(None, [name]))


@pytest.mark.parametrize(
    "line",
    [line for group in examples.EXAMPLES.values() for line, _ in group if "seres" not in line],
)
def test_an_example_can_be_typed(line):
    words = shlex.split(line.partition(" >")[0])[1:]
    _, bound, *_ = app.parse_args(words, exit_on_error=False, print_error=False)
    network = bound.arguments.get("network") or ""
    shown = [bound.arguments.get(key) for key in ("name", "a", "b") if words[0] != "recipes"]
    for name in filter(None, [network, *shown]):
        assert name in registry.stored_facts() or ".py:" in name


def test_choices_stand_in_the_help_of_every_flag_that_has_them(capsys):
    words = " ".join(out_of(capsys, "train", "--help").replace("│", " ").split())
    found = 0
    for f in fields(Recipe):
        choices = [choice for choice in f.metadata["allowed"].split(" | ") if choice]
        if len(choices) > 1:
            found += 1
            assert f"[choices: {', '.join(choices)}]" in words
    assert found >= 9


def test_the_flags_of_train_stand_in_groups(capsys):
    text = out_of(capsys, "train", "--help")
    places = [text.index(f"╭─ {title} ─") for title in ("Parameters", *runs.GROUPS.values())]
    assert places == sorted(places)
    blocks = text.split("╭─ ")[2:]
    assert len(blocks) == len(runs.GROUPS)
    of = {block.partition(" ─")[0]: block for block in blocks}
    for flag, title in {
        "--data ": "Images",
        "--opt ": "Steps and optimiser",
        "--sched ": "Learning rate over time",
        "--mixup ": "Cropping and augmentation",
        "--test-crops ": "Testing",
        "--device ": "Where and how to run",
    }.items():
        assert flag in of[title]
    for f in fields(Recipe):
        assert f.name == "network" or f"--{f.name.replace('_', '-')}" in text


@pytest.mark.parametrize(
    ("shell", "file", "startup"),
    [
        ("bash", ".local/share/bash-completion/completions/convatlas", ".bashrc"),
        ("zsh", ".zsh/completions/_cyclopts_convatlas", ".zshrc"),
        ("fish", ".config/fish/completions/convatlas.fish", None),
    ],
)
def test_completion_is_installed_into_the_home_folder(shell, file, startup, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "convatlas", "--install-completion", "--shell", shell],
        env=os.environ | {"HOME": str(tmp_path), "ZSH_CUSTOM": "", "ZSH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    script = (tmp_path / file).read_text()
    assert "--weight-decay" in script and "check-data" in script
    assert startup is None or "convatlas" in (tmp_path / startup).read_text()


# What is not understood


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("show",), "which network? `convatlas show resnet50` shows one"),
        (("diff",), "such as `convatlas diff resnet50 resnet50_v15`"),
        (("diff", "vgg16"), "such as `convatlas diff vgg16 vgg16_bn`"),
        (("diff", "dla60"), "such as `convatlas diff dla60 OTHER`"),
        (("eval",), "which run? `convatlas eval RUN`"),
        (("predict",), "which run? `convatlas predict RUN IMAGE…`"),
        (("check-data",), "which folder? `convatlas check-data FOLDER`"),
        (("convert", "a.pth"), "`convatlas convert FILE --network NETWORK`"),
        (("train", "lenet5", "--lr"), "--lr needs a value; `convatlas train --help`"),
        (("show", "resnet50", "resnet18"), "'resnet18' is one word too many"),
        (("show", "lenet5", "--layer"), "did you mean --layers (Every layer on its own line, "),
        (("train", "lenet5", "--zzz", "1"), "no flag --zzz; `convatlas train --help` shows all"),
        (("--frobnicate",), "no flag --frobnicate before a command"),
    ],
    ids=" ".join,
)
def test_what_to_type_is_said(words, says, capsys):
    assert says in error_of(capsys, *words)


@pytest.mark.parametrize(
    ("word", "meant"),
    [("trian", "train"), ("evaluate", "eval"), ("val", "eval"), ("info", "show"), ("ls", "list")],
)
def test_an_unknown_command_offers_the_nearest_and_lists_all(word, meant, capsys):
    text = error_of(capsys, word)
    assert f"did you mean {meant}?" in text
    assert text.endswith(f"the commands are {', '.join([*NAMES, 'help'])}")
    assert error_of(capsys, "help", word) == text


def test_a_word_that_is_nobodys_gets_no_guess(capsys):
    assert "did you mean" not in error_of(capsys, "fly")


# Flags of other programs


@pytest.mark.parametrize("flag", TYPED.split())
def test_a_flag_from_elsewhere_is_ours_or_understood_or_answered(flag, capsys):
    ours = usage.options(app, "train")
    same = flags.same(flag, set(ours))
    if same:
        assert usage.translated(app, ["train", flag, "1"]) == ["train", same, "1"]
        return
    text = error_of(capsys, "train", "lenet5", flag, "1")
    assert text.startswith(f"there is no {flag} here; ")
    assert "did you mean" not in text


@pytest.mark.parametrize(("typed", "ours"), flags.SAME.items())
def test_an_alias_does_exactly_the_same(typed, ours):
    owners = [name for name in NAMES if ours in usage.options(app, name)]
    assert owners
    for name in owners:
        assert typed not in usage.options(app, name)
        for words in (
            [typed, "1"],
            [f"{typed}=1"],
            [f"{typed[:2]}{typed[2:].replace('-', '_')}", "1"],
        ):
            done = usage.translated(app, [name, "first", *words])
            assert done == [name, "first", *([f"{ours}=1"] if "=" in words[0] else [ours, "1"])]


def test_aliases_reach_the_recipe(capsys, monkeypatch):
    """The whole way: the words of torchvision's references and ultralytics make our recipe."""
    seen = []
    monkeypatch.setattr(
        "convatlas.training.train", lambda recipe, *_, **__: seen.append(recipe) or {}
    )
    theirs = (
        "train --arch resnet18 --data-path photos --batch 8 --learning-rate 0.1 --wd 1e-4 "
        "--imgsz 64 --num-workers 2 --mixup-alpha 0.2 --clip_grad_norm=1 --bf16 --recipe modern"
    )
    assert run(theirs.split()) == 0
    (recipe,) = seen
    assert (recipe.network, recipe.data, recipe.batch_size) == ("resnet18", "photos", 8)
    assert (recipe.lr, recipe.weight_decay, recipe.size) == (0.1, 1e-4, 64)
    assert (recipe.workers, recipe.mixup, recipe.clip_grad, recipe.amp) == (2, 0.2, 1.0, True)


@pytest.mark.parametrize("typed", sorted(flags.ANSWERS))
def test_an_answered_flag_is_not_ours_and_names_only_flags_of_ours(typed):
    ours = set(usage.options(app, "train"))
    assert typed not in ours | set(flags.SAME)
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", flags.ANSWERS[typed]))
    assert named <= ours | {"--nproc-per-node"}  # torchrun's


@pytest.mark.parametrize("typed", sorted(flags.OF_A_RUN))
def test_what_is_answered_after_a_run_is_no_flag_there(typed, capsys):
    assert typed not in usage.options(app, "predict")
    named = set(re.findall(r"--[a-z-]+", flags.OF_A_RUN[typed]))
    assert named <= set(usage.options(app, "predict"))
    assert error_of(capsys, "predict", "somewhere", typed, "1").endswith(flags.OF_A_RUN[typed])


def test_flags_spelled_alike_are_ours():
    assert set(flags.ALIKE) <= set(usage.options(app, "train"))


@pytest.mark.parametrize("words", [["train", "lenet5", "--", "--wd"], ["predict", "run", "-1"]])
def test_what_is_no_flag_stays_as_it_is(words):
    assert usage.translated(app, words) == words


def test_our_own_former_flag_is_answered_with_the_new_one(capsys):
    assert error_of(capsys, "train", "lenet5", "--fastest").endswith("called --autotune")


# Progress


def test_verify_counts_on_standard_error_and_leaves_json_clean(capsys, monkeypatch):
    monkeypatch.setattr(printing, "SECONDS", 0.0)
    assert run(["verify", "lenet5", "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["ledger"]["networks"] == 1
    assert printed.err.splitlines() == [
        "networks measured: 0 of 1",
        "networks compared with their records: 0 of 1",
    ]


def test_verify_shows_a_bar_on_a_terminal():
    shown, terminal = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "convatlas", "verify", "lenet1989", "--json"],
        stdout=subprocess.PIPE,
        stderr=terminal,
        env=os.environ | {"TERM": "xterm"},
        check=False,
    )
    os.close(terminal)
    assert done.returncode == 0
    assert json.loads(done.stdout)["ledger"]["fails"] == 0
    assert b"networks measured" in os.read(shown, 65536)
    os.close(shown)


def test_recipes_fit_a_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert run(["recipes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert any(line.split() == ["modern", "any", "network", "on", "any", "data"] for line in lines)
    assert "convatlas train --recipe NAME follows it" in lines[-1]


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("--epochs=x", "--epochs takes a whole number, not 'x'; `convatlas train --help`"),
        ("--lr=a\nb", "--lr takes a number, not 'a\\nb'; "),
        ("--flip=a", "--flip takes true or false, or no value, not 'a'; "),
        ("--milestones=q", "--milestones takes numbers, not 'q'; "),
        ("--test-sizes=[bold]x", "--test-sizes takes whole numbers, not '[bold]x'; "),
        ("--seed=" + "y" * 5000, "(5,002 letters); "),
    ],
    ids=lambda word: word[:20],
)
def test_a_value_of_another_kind_is_one_line(word, says, capsys):
    assert run(["train", "lenet5", word]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1 and len(said) < 400
