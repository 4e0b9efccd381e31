"""How a selective kernel convolution chooses."""

import pytest
import torch
import torch.nn.functional as F

from convatlas.nets import sknet
from convatlas.shapes_only import shapes_only


def test_the_output_lies_between_the_kernels():
    """Sec. 3.1: a_c + b_c = 1 for every channel, by the softmax over the kernels."""
    torch.manual_seed(0)
    sk, x = sknet.SKConv(64, 1).eval(), torch.randn(2, 64, 9, 9)
    k3, k5 = sk.k3(x), sk.k5(x)
    low, high = torch.minimum(k3, k5), torch.maximum(k3, k5)
    with torch.no_grad():
        assert ((sk(x) >= low - 1e-6) & (sk(x) <= high + 1e-6)).all()
        sk.select.weight[:64] = 1e4  # A outweighs B wherever z > 0
        sk.select.weight[64:] = 0
        sk.fuse.bn.bias.fill_(10.0)
        torch.testing.assert_close(sk(x), sk.k3(x))
        sk.select.weight.neg_()
        torch.testing.assert_close(sk(x), sk.k5(x))


def test_one_softmax_for_each_channel():
    torch.manual_seed(0)
    sk, x = sknet.SKConv(64, 2).eval(), torch.randn(2, 64, 8, 8)
    s = (sk.k3(x) + sk.k5(x)).mean((2, 3))
    z = F.relu(
        F.batch_norm(
            F.linear(s, sk.fuse.w.weight[..., 0, 0]),
            sk.fuse.bn.running_mean,
            sk.fuse.bn.running_var,
        )
    )
    a, b = F.linear(z, sk.select.weight[..., 0, 0]).split(64, dim=1)
    a, b = a.exp() / (a.exp() + b.exp()), b.exp() / (a.exp() + b.exp())
    torch.testing.assert_close(sk(x), a[..., None, None] * sk.k3(x) + b[..., None, None] * sk.k5(x))


@pytest.mark.parametrize(("c", "d"), [(128, 32), (256, 32), (512, 32), (1024, 64)])
def test_the_width_of_the_fuse(c, d):
    with shapes_only():
        assert sknet.SKConv(c, 1).fuse.w.out_channels == d


@pytest.mark.parametrize(("kernel", "spans"), [("k3", 3), ("k5", 5)])
def test_what_a_kernel_spans(kernel, spans):
    torch.manual_seed(0)
    pixel = torch.zeros(1, 64, 9, 9)
    pixel[..., 4, 4] = 1
    conv = getattr(sknet.SKConv(64, 1), kernel).conv
    rows = conv(pixel).abs().sum((0, 1, 3)).nonzero().flatten()
    assert (rows.min(), rows.max(), len(rows)) == (4 - spans // 2, 4 + spans // 2, 3)
