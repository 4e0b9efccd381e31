"""Does the comparison see a single word of a paper that is read wrongly?"""

import importlib

import lenet
import pytest
import torch
import torch.nn.functional as F
from comparing import assert_stages_equal, images, network, sizes
from plain import across_channels, cat, norm


def swapped(table: str, a: int, b: int) -> str:
    """The table with two columns exchanged."""
    rows = [row.split() for row in table.split("\n") if row]
    for row in rows:
        row[a], row[b] = row[b], row[a]
    return "\n".join(" ".join(row) for row in rows)


MISREAD = [  # a word of a paper read wrongly: network, file, word, how it is misread
    ("nin_cifar10", "nin", "max_pool", lambda x, *rest, up: F.avg_pool2d(x, *rest, ceil_mode=up)),
    ("nin_cifar10", "nin", "mean", lambda x: x.amax((2, 3))),
    (
        "googlenet",
        "googlenet",
        "across_channels",
        lambda x, *rest: across_channels(x, *rest[:3], 1),
    ),
    ("bn_inception", "bn_inception", "cat", lambda *branches: cat(*branches[::-1])),
    ("densenet_tutorial", "densenet", "norm", lambda w, x, name: norm(w, x, name, eps=2e-5)),
    ("lenet5", "lenet", "squash", torch.tanh),
    ("lenet5", "lenet", "TABLE_I", swapped(lenet.TABLE_I, 12, 13)),
    ("lenet1989", "lenet", "TABLE_1", swapped(lenet.TABLE_1, 0, 3)),
]


@torch.no_grad()
@pytest.mark.parametrize(
    ("name", "file", "word", "misread"),
    [pytest.param(*misread, id="-".join(misread[1:3])) for misread in MISREAD],
)
def test_a_word_misread_is_seen(name, file, word, misread, monkeypatch):
    net = network(name)
    paper = importlib.import_module(file)
    monkeypatch.setattr(paper, word, misread)
    with pytest.raises(AssertionError, match="of the largest value"):
        assert_stages_equal(net, paper.NETWORKS[name], images(net, *sizes(net)[-1]), name)
