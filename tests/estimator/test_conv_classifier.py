"""ConvClassifier as a person uses it: pictures in, labels out, among scikit-learn's own parts."""

import pickle
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import convatlas
from convatlas import ConvClassifier
from convatlas.training import in_memory

DIGITS = load_digits()
FAST = {"batch_size": 16, "lr": 5e-3, "epochs": 2}


@pytest.fixture(scope="module")
def fitted() -> ConvClassifier:
    """Of 600 digits, 8 x 8 pixels of 0 to 16."""
    return ConvClassifier("lenet1989", batch_size=16, lr=5e-3, epochs=6).fit(
        DIGITS.images[:600], DIGITS.target[:600]
    )


def mnist(root, images: np.ndarray, labels: np.ndarray, tested: int) -> None:
    """The four files of MNIST, of these pictures."""
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part, kept in (("train", slice(tested, None)), ("t10k", slice(tested))):
        X, y = images[kept], labels[kept].astype(np.uint8)
        sizes = b"".join(n.to_bytes(4, "big") for n in X.shape)
        (raw / f"{part}-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03" + sizes + X.tobytes())
        head = b"\0\0\x08\x01" + len(y).to_bytes(4, "big")
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(head + y.tobytes())


@pytest.mark.parametrize(
    "changes",
    [{}, {"ema": 0.9, "rotate": 10.0, "class_weights": "balanced", "early_stopping": 1}],
)
def test_its_weights_are_those_of_a_run_to_the_last_bit(tmp_path, changes):
    images = np.kron(DIGITS.images[:400] * 15, np.ones((1, 3, 3))).astype(np.uint8)
    mnist(tmp_path / "data", images, DIGITS.target[:400], tested=100)
    given = {**FAST, "epochs": 3}
    convatlas.train(
        convatlas.Recipe(
            network="lenet1989",
            data="mnist",
            data_root=str(tmp_path / "data"),
            seed=3,
            **given,
            **changes,
        ),
        tmp_path / "run",
        callback=convatlas.Callback(),
    )
    of_run = convatlas.load_model(tmp_path / "run")
    learnt = ConvClassifier("lenet1989", **given, changes=changes, random_state=3)
    learnt.fit(images[100:], DIGITS.target[100:400])
    ours, theirs = learnt.model_.net.state_dict(), of_run.net.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert learnt.model_.preprocess == of_run.preprocess
    right = learnt.score(images[:100], DIGITS.target[:100])
    assert right == convatlas.evaluate(tmp_path / "run", data_root=tmp_path / "data").accuracy


def test_it_learns_to_read_and_says_how(fitted):
    assert fitted.score(DIGITS.images[600:900], DIGITS.target[600:900]) > 0.8
    assert fitted.classes_.tolist() == list(range(10))
    assert fitted.n_features_in_ == 64
    assert fitted.layout_.shape == (1, 8, 8)
    assert fitted.value_range_ == (0, 16)
    assert [line["epoch"] for line in fitted.history_] == [1, 2, 3, 4, 5, 6]
    shares = fitted.predict_proba(DIGITS.images[:9])
    assert shares.shape == (9, 10)
    assert np.allclose(shares.sum(1), 1)


def test_rows_and_pictures_are_the_same_to_it(fitted):
    X = DIGITS.images[600:650]
    wanted = fitted.predict_proba(X)
    for same in (X.reshape(50, 64), X[:, None], X[..., None], X.tolist(), X.astype(np.float32)):
        assert np.array_equal(fitted.predict_proba(same), wanted)


def test_an_answer_is_the_same_to_six_digits_in_whatever_company():
    X = DIGITS.images[:70]
    learnt = ConvClassifier(epochs=1, batch_size=16).fit(X, DIGITS.target[:70])
    alone = np.concatenate([learnt.predict_proba(X[i : i + 1]) for i in range(70)])
    assert np.abs(learnt.predict_proba(X) - alone).max() < 1e-6


def test_labels_may_be_of_any_kind():
    X, names = DIGITS.images[:200], np.array(["zero", "one"])[DIGITS.target[:200] % 2]
    learnt = ConvClassifier("lenet1989", **FAST).fit(X, names)
    assert learnt.classes_.tolist() == ["one", "zero"]
    assert set(learnt.predict(X)) <= {"one", "zero"}
    assert learnt.model_.classes == ("one", "zero")
    signs = ConvClassifier("lenet1989", **FAST).fit(X, DIGITS.target[:200] % 2 == 0)
    assert signs.predict(X).dtype == bool


def test_the_same_seed_gives_the_same_answers_and_leaves_torch_as_it_was():
    X, y = DIGITS.images[:200], DIGITS.target[:200]
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    one, same, other = (
        ConvClassifier("lenet1989", **FAST, random_state=seed).fit(X, y).predict_proba(X)
        for seed in (0, None, 1)
    )
    assert torch.equal(torch.random.get_rng_state(), state)
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    drawn = [
        ConvClassifier(**FAST, random_state=np.random.RandomState(7))._recipe().seed
        for _ in range(2)
    ]
    assert drawn[0] == drawn[1] != 0


def test_it_works_in_a_pipeline_a_search_and_a_validation():
    X, y = DIGITS.data[:200], DIGITS.target[:200]
    classifier = ConvClassifier("lenet1989", **FAST)
    line = make_pipeline(StandardScaler(), classifier)
    assert cross_val_score(line, X, y, cv=2).shape == (2,)
    rates = np.array([1e-5, 5e-3])
    search = GridSearchCV(classifier, {"lr": rates, "batch_size": np.array([16])}, cv=2).fit(X, y)
    assert search.best_params_ == {"lr": 5e-3, "batch_size": 16}
    assert search.score(X, y) > 0.3


def test_a_pickle_answers_the_same_and_a_clone_is_unfitted(fitted):
    X = DIGITS.images[:20]
    again = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(again.predict_proba(X), fitted.predict_proba(X))
    fresh = clone(fitted)
    assert fresh.get_params() == fitted.get_params()
    with pytest.raises(NotFittedError):
        fresh.predict(X)


def test_what_it_saves_is_read_by_the_rest(fitted, tmp_path):
    fitted.save(tmp_path / "kept")
    saved = convatlas.load_model(tmp_path / "kept")
    picture = np.rint(DIGITS.images[700] * 255 / 16).astype(np.uint8)
    (found,) = saved(torch.from_numpy(picture)[None])
    shares = fitted.predict_proba(DIGITS.images[700:701])[0]
    assert found.classes[0] == str(shares.argmax())
    assert found.probabilities[0] == pytest.approx(shares.max(), abs=1e-12)
    assert saved.provenance["seed"] == 0
    with pytest.raises(convatlas.Error, match="already holds model"):
        fitted.save(tmp_path / "kept")


def test_a_recipe_may_be_a_name_a_record_or_the_one_that_suits():
    assert ConvClassifier()._recipe() == convatlas.Recipe(network="lenet_caffe")
    assert ConvClassifier("resnet20_cifar")._recipe().sched == "cosine"
    by_name = ConvClassifier("lenet5", recipe="lenet5_mnist", epochs=2)._recipe()
    assert (by_name.loss, by_name.epochs) == ("map", 2)
    own = convatlas.Recipe(lr=0.5, opt="sgd")
    assert ConvClassifier("lenet5", recipe=own)._recipe() == own.change(network="lenet5")
    assert ConvClassifier(changes={"momentum": 0.5}, opt="sgd")._recipe().momentum == 0.5


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"network": "lenet"}, convatlas.errors.UnknownNetwork, "lenet5"),
        ({"lr": -1.0}, convatlas.errors.RecipeError, "lr = -1.0"),
        ({"recipe": "moderm"}, convatlas.errors.RecipeError, "modern"),
        ({"changes": {"rotat": 3}}, convatlas.errors.RecipeError, "did you mean rotate"),
        ({"size": 3}, ValueError, "lenet_caffe"),
        ({"device": "tpu"}, convatlas.errors.RecipeError, "auto | cpu | cuda | mps"),
        ({"weights": "no/such/file"}, convatlas.errors.WeightsError, "no/such/file"),
        ({"random_state": -1}, convatlas.errors.RecipeError, "seed = -1"),
        ({"random_state": "seven"}, ValueError, "seven"),
    ],
)
def test_what_cannot_be_is_refused_when_it_is_fitted(given, error, said):
    classifier = ConvClassifier(**given)
    with pytest.raises(error, match=said.replace("|", r"\|")):
        classifier.fit(DIGITS.images[:50], DIGITS.target[:50])
    with pytest.raises(NotFittedError):
        classifier.predict(DIGITS.images[:2])


def test_pictures_of_another_size_are_refused(fitted):
    with pytest.raises(ValueError, match=r"\(1, 9, 9\), and fit saw \(1, 8, 8\)"):
        fitted.predict(np.zeros((2, 9, 9)))
    with pytest.raises(ValueError, match="81 features"):
        fitted.predict(np.zeros((2, 81)))


def test_pictures_of_another_scale_are_warned_of(fitted):
    with pytest.warns(UserWarning, match=r"from 0 to 0\.0625, and fit saw 0 to 16"):
        fitted.predict(DIGITS.images[:9] / 256)


def test_a_class_of_a_single_picture_is_learnt_from():
    y = np.where(np.arange(60) == 7, "rare", "common")
    learnt = ConvClassifier("lenet1989", **FAST).fit(DIGITS.images[:60], y)
    assert learnt.predict_proba(DIGITS.images[:3]).shape == (3, 2)
    two = ConvClassifier("lenet1989", epochs=1, batch_size=2).fit(DIGITS.images[:2], [0, 1])
    assert two.classes_.tolist() == [0, 1]


def test_it_is_silent_unless_it_is_asked(capsys):
    X, y = DIGITS.images[:60], DIGITS.target[:60]
    with warnings.catch_warnings(action="error"):
        ConvClassifier("lenet1989", **FAST).fit(X, y)
    assert capsys.readouterr() == ("", "")
    ConvClassifier("lenet1989", **FAST, verbose=True).fit(X, y)
    assert "epoch 2/2" in capsys.readouterr().out


def test_a_warning_of_the_run_is_pythons_own():
    with pytest.warns(UserWarning, match="--batch-size 500 is more than"):
        ConvClassifier("lenet1989", epochs=1, batch_size=500).fit(
            DIGITS.images[:60], DIGITS.target[:60]
        )


def test_memory_that_is_refused_is_said_with_what_to_type(monkeypatch):
    def refuse(*_):
        raise MemoryError

    monkeypatch.setattr(in_memory.Trainer, "step", refuse)
    with pytest.raises(
        convatlas.errors.RunError, match="not enough memory for a step of 16 images"
    ):
        ConvClassifier("lenet1989", **FAST).fit(DIGITS.images[:60], DIGITS.target[:60])


@pytest.mark.parametrize(
    ("epochs", "said"),
    [(1, "outputs of the best lenet_caffe on the validation images"), (2, "lower --lr")],
    ids=["at the end", "on the way"],
)
def test_answers_that_are_no_numbers_end_the_fit_in_a_sentence(epochs, said):
    wild = ConvClassifier("lenet_caffe", epochs=epochs, opt="sgd", lr=1e30)
    with (
        pytest.raises(convatlas.Error, match=said),
        warnings.catch_warnings(action="ignore"),
    ):
        wild.fit(DIGITS.images[:64], DIGITS.target[:64])
