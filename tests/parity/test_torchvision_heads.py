"""The auxiliary heads of torchvision's networks and ours, with the same weights."""

import pytest
import torch
import torchvision.models as tv

from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only
from convatlas.weights.torchvision import TWINS

HEADS = {
    "googlenet": ("logits", "aux_logits1", "aux_logits2"),
    "inception_v3": ("logits", "aux_logits"),
}


@torch.no_grad()
@pytest.mark.parametrize(("name", "size"), [("googlenet", (224, 96)), ("inception_v3", (299, 299))])
def test_heads_give_theirs(name, size, randomised):
    torch.manual_seed(0)
    x = torch.randn(2, 3, *size, dtype=torch.float64)
    theirs = randomised(tv.get_model(name, init_weights=False).double(), x)
    with shapes_only():
        ours = create_model(TWINS[name].ours)
    state = theirs.state_dict()
    names = TWINS[name].names(ours.state_dict())
    ours.load_state_dict({key: state[name] for key, name in names.items()}, assign=True)
    theirs.training = True  # of itself alone: its layers go on as in testing
    expected = theirs(x)._asdict()
    for (a, _), head in zip(ours.eval().training_outputs(x), HEADS[name], strict=True):
        b = expected[head]
        assert (b[0] - b[1]).abs().max() > 1e-3 * b.abs().max(), "nothing was compared"
        assert (a - b).abs().max() <= 1e-10 * b.abs().max(), head
