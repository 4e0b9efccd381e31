"""What people call the folders that part a set: train, val and test in every spelling."""

import re
import unicodedata
from functools import lru_cache

TRAIN, VAL, TEST, UNLABELLED, FOLD = "train", "val", "test", "unlabelled", "fold"
WORDS = {
    TRAIN: "train training trn tra entrenamiento entrainement treino treinamento 训练 訓練",
    VAL: "val valid validation validate dev development eval evaluation holdout validacion "
    "validacao validierung 验证 驗證",
    TEST: "test testing tst prueba teste 测试 測試",
    UNLABELLED: "pred preds predict prediction predictions unlabeled unlabelled unsup submission",
    FOLD: "fold kfold cv crossval split",
}
SHORT = {"tr": TRAIN, "ts": TEST, "te": TEST, "va": VAL}  # only beside a word that says of what
FILLERS = """
    sets? data datasets? images? imgs? im pictures? pics? photos? samples? examples? files? folders?
    dir subset splits? part final full all new raw small resized cropped original clean jpe?g png
    conjunto de en ensemble s?daten s?bilder 集 数据 图片
"""


def _any_of(words: str) -> str:
    return f"(?:{'|'.join(sorted(words.split(), key=len, reverse=True))})"


_FILLER = f"{_any_of(FILLERS)}*"
_BARE = {role: re.compile(f"{_FILLER}{_any_of(words)}{_FILLER}") for role, words in WORDS.items()}
_SHORT = re.compile(f"{_any_of(FILLERS)}+({'|'.join(SHORT)})")
_TRAIN_AND_VAL = re.compile(
    f"{_FILLER}train(?:ing)?(?:and|plus|n)?(?:val|valid|validation|dev){_FILLER}"
)


@lru_cache(maxsize=4096)
def role_of(name: str) -> str:
    """The part of a set that a folder of this name holds, if the name says nothing else: "train",
    "Training_Set", "train2017", "test-images". "" where it does not; TRAIN for "trainval".
    """
    letters = "".join(_words(name))
    if _TRAIN_AND_VAL.fullmatch(letters):
        return TRAIN
    if short := _SHORT.fullmatch(letters):
        return SHORT[short[1]]
    numbered = any(character.isdigit() for character in name)
    for role, pattern in _BARE.items():
        if pattern.fullmatch(letters) and (role != FOLD or numbered):
            return role
    return ""


def role_within(name: str) -> tuple[str, tuple[str, ...]]:
    """The part of a set that one word of a longer name stands for, and the other words:
    "seg_train" -> ("train", ("seg",)). ("", ()) where no word does, or several do.
    """
    words = _words(name)
    roles = [(i, role) for i, word in enumerate(words) if (role := role_of(word))]
    if len(words) < 2 or len(roles) != 1:
        return "", ()
    at, role = roles[0]
    rest = (word for i, word in enumerate(words) if i != at)
    return role, tuple(word for word in rest if not re.fullmatch(_FILLER, word))


def is_wrapper(name: str) -> bool:
    """Whether a folder of this name says nothing about what it holds: "images", "data"."""
    letters = "".join(_words(name))
    return bool(letters) and bool(re.fullmatch(_FILLER, letters))


def _words(name: str) -> list[str]:
    """Its words in small letters without accents: "trainSet_2" -> ["train", "set"]."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    plain = unicodedata.normalize("NFKD", apart.casefold())
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.findall(r"[^\W\d_]+", bare)
