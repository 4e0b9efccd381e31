"""Evaluation counts whole pictures: the same integers for any batch size, and the same as scikit-learn's."""
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, confusion_matrix, top_k_accuracy_score

from convatlas.evaluate import confusion_of, evaluate


class Answers(torch.nn.Module):
    """A network that looks its logits up by the picture's number; dropout shows whether it is in evaluation mode."""

    def __init__(self, logits):
        super().__init__()
        self.logits, self.dropout = torch.nn.Parameter(logits), torch.nn.Dropout(0.9)

    def forward(self, x):
        return self.dropout(self.logits)[x[:, 0, 0, 0].long()]


class Numbered:
    """A feed whose picture i holds the number i."""

    def __init__(self, labels, batch_size):
        self.labels, self.batch_size = labels, batch_size

    def all(self):
        for indices in torch.arange(len(self.labels)).split(self.batch_size):
            yield indices.float()[:, None, None, None], self.labels[indices], indices


def case(seed, count, classes):
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(count, classes, generator=generator),
            torch.randint(classes, (count,), generator=generator))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), count=st.integers(1, 17), classes=st.integers(2, 9), batch=st.integers(1, 18))
def test_counts_are_scikit_learns_for_every_batch_size(seed, count, classes, batch):
    logits, labels = case(seed, count, classes)
    found = evaluate(Answers(logits), Numbered(labels, batch), classes)
    assert found.confusion.tolist() == confusion_matrix(labels, logits.argmax(1), labels=range(classes)).tolist()
    assert found.count == count
    assert found.accuracy == accuracy_score(labels, logits.argmax(1))
    if classes > 5:
        assert found.top5 / count == pytest.approx(
            top_k_accuracy_score(labels, logits.numpy(), k=5, labels=range(classes)))
    else:
        assert found.top5 == count
    assert found.loss == pytest.approx(float(torch.nn.functional.cross_entropy(logits.double(), labels)))


@pytest.mark.parametrize("mode", [True, False])
def test_the_network_keeps_its_mode_even_after_an_error(mode):
    logits, labels = case(0, 4, 3)
    net = Answers(logits).train(mode)
    evaluate(net, Numbered(labels, 2), 3)
    assert net.training is mode
    with pytest.raises(RuntimeError):
        evaluate(net, Numbered(labels, 2), 2)
    assert net.training is mode


def test_confusion_has_the_true_class_in_its_row():
    logits = torch.tensor([[0.0, 9.0, 0.0], [0.0, 0.0, 9.0]])
    assert confusion_of(logits, torch.tensor([0, 0]), 3).tolist() == [[0, 1, 1], [0, 0, 0], [0, 0, 0]]
