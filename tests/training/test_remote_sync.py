"""A run's saves in an object store: what is there is a whole save of one step or nothing, whatever
fails, and a machine that has nothing else goes on from it to the same bits.
"""

import hashlib
import io
import json
import shutil
from dataclasses import replace

import pytest
import torch
from bucket import served, served_by_moto
from short_runs import SMALL, StopAt, same_bits
from skips import needs

from convatlas import object_store
from convatlas.cli import run as typed_words
from convatlas.errors import RecipeError, RunError, Stopped
from convatlas.object_store import StoreError
from convatlas.study.asking import recipe_of
from convatlas.study.plan import Asked
from convatlas.training import Recipe, train
from convatlas.training.callbacks import Callback
from convatlas.training.folder import RunFolder
from convatlas.training.remote import BEGUN, COMMIT, Commit, Remote, of_step
from convatlas.training.remote_sync import Sync

pytestmark = [
    needs("boto3 is not installed (extra shards)", "boto3"),
    pytest.mark.usefixtures("undrawn"),
]
PLACE = "s3://bucket/runs/a"
CLIENT = object_store.ObjectStore.client
THERE = SMALL.change(remote_sync=PLACE)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """(a server, its address); all of this process ask by one client, which takes long to make."""
    root = tmp_path_factory.mktemp("none")
    with served(root) as (bucket, address), pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "somebody")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        patch.setenv("AWS_ENDPOINT_URL", address)
        client = object_store.ObjectStore(PLACE).client()
        patch.setattr(object_store.ObjectStore, "client", lambda self: client)
        patch.setattr(object_store, "PAUSES", (0.01, 0.02, 0.04, 0.08))
        yield bucket


@pytest.fixture
def bucket(server, tmp_path):
    for name in ("bucket", "readonly", "private"):
        (tmp_path / "s3" / name).mkdir(parents=True)
    server.root, server.every, server.down, server.failed = tmp_path / "s3", 0, False, 0
    server.puts.clear()
    return server


def there(bucket, place="bucket/runs/a") -> tuple[dict, set[str]]:
    """What is committed, and the objects that lie beside it."""
    root = bucket.root / place
    return (
        json.loads((root / COMMIT).read_text()),
        {path.name for path in (root / "objects").iterdir()},
    )


def stopped(recipe, folder, at, resume=False):
    note = StopAt(at)
    with pytest.raises(Stopped):
        train(recipe, folder, resume=resume, callback=note)
    return note.warnings


def typed(words, capsys) -> tuple[int, str]:
    code = typed_words([*map(str, words)], debug=False)
    said = capsys.readouterr()
    return code, said.out + said.err


def test_another_machine_goes_on_from_the_store_alone(bucket, tmp_path, whole, capsys, monkeypatch):
    bucket.every, bucket.hows = 5, (500, "reset", "short", "lost")
    assert stopped(THERE, tmp_path / "here", 3) == []
    commit, objects = there(bucket)
    assert commit["step"] == 3
    assert objects == {one[1] for one in commit["files"].values()}
    shutil.rmtree(tmp_path / "here")

    stopped(THERE, tmp_path / "second", 6, resume=True)  # as "auto" does, with --remote-sync
    assert there(bucket)[0]["step"] == 6
    monkeypatch.chdir(tmp_path)
    code, said = typed(["train", "--resume", PLACE], capsys)
    assert code == 0
    assert "resumed at step 6 in runs/a" in said
    same_bits(tmp_path / "runs" / "a", whole)
    commit, objects = there(bucket)
    assert objects == {one[1] for one in commit["files"].values()}
    assert {*RESULTS} <= {*commit["files"]}
    assert bucket.failed > 10

    shutil.rmtree(tmp_path / "runs")
    bucket.puts.clear()
    code, said = typed(["train", "--resume", PLACE, "--output", "third"], capsys)
    assert code == 0
    assert "test accuracy" in said
    assert bucket.puts == []  # it was finished
    same_bits(tmp_path / "third", whole)


RESULTS = ("model.safetensors", "model.json", "answers.csv", "metrics.json", "log.jsonl")


def test_a_run_goes_on_while_its_store_is_away_and_says_what_is_not_there(bucket, tmp_path, whole):
    class Cut(StopAt):
        def step(self, progress, loss, rate):
            bucket.down = True

    note = Cut(0)
    train(THERE, tmp_path / "run", callback=note)
    same_bits(tmp_path / "run", whole)
    last = note.warnings[-1]
    assert "the last save is not in s3://bucket/runs/a (--remote-sync s3://bucket/runs/a" in last
    assert f"convatlas train --resume {tmp_path / 'run'} puts it there" in last
    assert len(note.warnings) <= 2
    bucket.down = False
    train(THERE, tmp_path / "run", resume=True, callback=Callback())  # the remedy
    assert "metrics.json" in there(bucket)[0]["files"]


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("s3://nowhere/run", "is not there"),
        ("s3://private/run", "may not be read"),
        ("s3://readonly/run", "may not be written"),
        ("s3://no bucket!/run", "check the bucket and the path"),
    ],
)
def test_a_place_that_will_not_do_is_one_sentence_before_anything_is_made(
    bucket, tmp_path, place, says
):
    with pytest.raises(RunError, match=says) as caught:
        train(SMALL.change(remote_sync=place), tmp_path / "run", callback=Callback())
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_what_is_no_place_is_no_recipe(monkeypatch, tmp_path):
    monkeypatch.setattr(object_store.ObjectStore, "client", CLIENT)
    with pytest.raises(RecipeError, match=r"remote_sync = 'runs/a' is not allowed; .* s3://B"):
        Recipe(remote_sync="runs/a")
    monkeypatch.setitem(__import__("sys").modules, "boto3", None)
    with pytest.raises(RunError, match=r"pip install 'convatlas\[shards\]'"):
        train(THERE, tmp_path / "run", callback=Callback())
    with pytest.raises(RecipeError, match="a study has many"):
        recipe_of(Asked(("lenet5",), (), 1, given={"remote_sync": PLACE}), "lenet5", "digits", {})


# ---- the store itself, with a folder that stands for a run


def saved(folder, step, run="a", results=False):
    """A run's folder with one checkpoint."""
    from convatlas.training.checkpoint import Checkpoint, save_step

    tensors = {"w": torch.arange(5.0) + step}
    save_step(folder / "checkpoints", Checkpoint(step, tensors, tensors, {"step": step}))
    (folder / "recipe.toml").write_text(THERE.to_toml())
    known = {"run": run, "recipe": {"epochs": 1}, "lengths": [1], "adopted": False, "start": {}}
    (folder / "run.json").write_text(json.dumps({"format": 1, **known}))
    for name in RESULTS if results else ():
        (folder / name).write_text(f"{name} {step}")
    return RunFolder(folder)


def synced(folder, place=None, warn=None):
    place = place or Remote(PLACE)
    place.look()
    with Sync(place, folder, warn or pytest.fail) as sync:
        sync.finish()
    return place


def test_only_what_is_new_is_put_and_what_is_old_is_removed(bucket, tmp_path):
    place = synced(saved(tmp_path, 1))
    first = there(bucket)
    stray = bucket.root / "bucket/runs/a/objects" / ("0" * 64)
    stray.write_text("left by a process that was killed")
    other = stray.with_name("notes.txt")
    other.write_text("somebody's own")
    bucket.puts.clear()
    synced(saved(tmp_path, 2))
    commit, objects = there(bucket)
    assert objects == {one[1] for one in commit["files"].values()} | {"notes.txt"}
    assert bucket.puts[-1] == COMMIT
    assert len(bucket.puts) == 4  # two files of equal tensors, state, manifest less the one of both
    assert first[0]["step"] == 1
    bucket.puts.clear()
    synced(RunFolder(tmp_path), place)
    assert bucket.puts == []
    with pytest.raises(StoreError, match="BadDigest"):  # the store has compared it
        place.put("0" * 64, io.BytesIO(b"other bytes"))


def test_of_two_machines_with_one_run_the_second_to_commit_stops(bucket, tmp_path):
    one, other = saved(tmp_path / "one", 1), saved(tmp_path / "two", 2)
    place = synced(one)
    synced(other)
    said = []
    with Sync(place, saved(tmp_path / "one", 3), said.append) as sync:
        sync.finish()
        sync.tell()
        sync.finish()
    assert len(said) == 1
    assert "another process has put a save of the run into s3://bucket/runs/a meanwhile" in said[0]
    assert there(bucket)[0]["step"] == 2


def test_a_lost_answer_to_a_commit_is_no_other_machine(bucket, tmp_path):
    bucket.every, bucket.hows = 2, ("lost",)
    for step in (1, 2, 3):
        synced(saved(tmp_path, step))
        assert there(bucket)[0]["step"] == step


@pytest.mark.full
@needs("moto is not installed: moto[server]", "moto", "flask")
def test_motos_s3_understands_what_is_asked(tmp_path, monkeypatch):
    with served_by_moto("bucket") as (client, _):
        monkeypatch.setattr(object_store.ObjectStore, "client", lambda self: client)
        place = synced(saved(tmp_path / "one", 1))
        synced(saved(tmp_path / "two", 2))
        said = []
        with Sync(place, saved(tmp_path / "one", 3), said.append) as sync:
            sync.finish()
        assert "another process has put a save" in said[0]
        found = Remote(PLACE)
        assert found.look().step == 2
        assert {*found.objects()} >= found.known.objects
        with pytest.raises(RunError, match=r"changed since|another recipe"):  # but it was fetched
            train(THERE, tmp_path / "new", resume=True, callback=Callback())
        assert (tmp_path / "new/checkpoints/step-00000002/state.json").exists()


def test_two_runs_never_share_a_place(bucket, tmp_path):
    synced(saved(tmp_path / "other", 3, run="b"))
    with pytest.raises(RunError, match="already holds a run; continue it with --resume s3://"):
        train(THERE, tmp_path / "new", callback=Callback())
    saved(tmp_path / "mine", 1, run="a")
    with pytest.raises(RunError, match="holds another run than"):
        train(THERE, tmp_path / "mine", resume=True, callback=Callback())


def test_where_there_is_no_run_it_is_said(bucket, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, said = typed(["train", "--resume", "s3://bucket/none"], capsys)
    assert code == 1
    assert "there is no run in s3://bucket/none" in said
    assert not any(path.name == "runs" for path in tmp_path.iterdir())


def damaged(commit: dict, how: str) -> bytes:
    files = commit["files"]
    name = next(iter(of_step(commit["step"])))
    if how == "a name that leads out":
        files["../../x"] = files["run.json"]
    elif how == "a name of no run":
        files["checkpoints/step-00000009/state.json"] = files["run.json"]
    elif how == "a file is missing":
        del files["recipe.toml"]
    elif how == "huge":
        files[name] = [2**60, files[name][1]]
    elif how == "no digest":
        files[name] = [3, "../" * 20]
    elif how == "a step of letters":
        commit["step"] = "1"
    elif how == "an empty run":
        commit["run"] = "../x"
    elif how == "another type":
        commit["files"] = []
    elif how == "deep":
        return b"[" * 15_000
    elif how == "a later version":
        commit["format"] = 2
    elif how == "unsigned":
        commit["files"]["run.json"][0] += 1
        return json.dumps(commit).encode()
    rest = {key: value for key, value in commit.items() if key != "sha256"}
    signature = hashlib.sha256(json.dumps(rest).encode()).hexdigest()
    return json.dumps(rest | {"sha256": signature}).encode()


@pytest.mark.parametrize(
    "how",
    [
        *("a name that leads out", "a name of no run", "a file is missing", "huge", "no digest"),
        *("a step of letters", "an empty run", "another type", "deep", "a later version"),
        "unsigned",
    ],
)
def test_a_commit_that_is_none_is_refused_and_nothing_is_written(tmp_path, monkeypatch, how):
    files = dict.fromkeys((*of_step(1), *BEGUN), (1, "0" * 64))
    sound = Commit("a", 1, files).text()
    found = Remote(PLACE)
    monkeypatch.setattr(Remote, "_commit", lambda self: (sound, "tag"))
    assert found.look().files == files
    content = damaged(json.loads(sound), how)
    monkeypatch.setattr(Remote, "_commit", lambda self: (content, "tag"))
    with pytest.raises(RunError, match="is damaged, or not a run's of this version"):
        train(THERE, tmp_path / "new", resume=True, callback=Callback())
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("change", ["other", "longer", "shorter", "gone"])
def test_an_object_that_is_not_what_was_put_is_named(bucket, tmp_path, change):
    synced(saved(tmp_path / "run", 1))
    size, sha256 = there(bucket)[0]["files"]["checkpoints/step-00000001/state.json"]
    path = bucket.root / "bucket/runs/a/objects" / sha256
    content = path.read_bytes()
    path.unlink()
    if change != "gone":
        changed = {"other": b"x" * size, "longer": content * 2, "shorter": content[:-1]}
        path.write_bytes(changed[change])
    wanted = "is not there" if change == "gone" else f"{sha256} is not what was written there"
    with pytest.raises(RunError, match=wanted):
        train(THERE, tmp_path / "new", resume=True, callback=Callback())
    assert not (tmp_path / "new" / "recipe.toml").exists()
    path.write_bytes(content)  # the remedy: put it back; what was fetched by half is gone on with
    with pytest.raises(RunError, match=r"begun with another recipe|changed since"):
        train(THERE, tmp_path / "new", resume=True, callback=Callback())
    assert (tmp_path / "new" / "recipe.toml").exists()


def test_a_commit_is_what_it_says():
    commit = Commit("a", 3, dict.fromkeys((*of_step(3), "run.json"), (1, "0" * 64)))
    assert commit.objects == {"0" * 64}
    assert commit.text() != replace(commit, step=4).text()
