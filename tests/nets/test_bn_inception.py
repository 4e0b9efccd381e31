"""The width of each of Figure 5's modules, as its branches sum up, and how each pools."""

import torch

from convatlas.registry import create_model

WIDTHS = {
    "3a": (256, 28),
    "3b": (320, 28),
    "3c": (576, 14),
    "4a": (576, 14),
    "4b": (576, 14),
    "4c": (608, 14),
    "4d": (608, 14),
    "4e": (1056, 7),
    "5a": (1024, 7),
    "5b": (1024, 7),
}


def test_what_comes_out_of_each_module():
    with torch.device("meta"):
        net, seen = create_model("bn_inception").eval(), {}
        for path, module in net.named_children():
            module.register_forward_hook(
                lambda m, args, out, path=path: seen.update({path: tuple(out.shape[1:])})
            )
        net(torch.empty(1, 3, 224, 224))
    assert {path: out for path, out in seen.items() if path.startswith("inception")} == {
        f"inception_{part}": (c, side, side) for part, (c, side) in WIDTHS.items()
    }


def test_which_modules_pool_by_maximum():
    with torch.device("meta"):
        net = create_model("bn_inception")
    maximum = {
        path.split(".")[0] for path, m in net.named_modules() if isinstance(m, torch.nn.MaxPool2d)
    }
    average = {
        path.split(".")[0] for path, m in net.named_modules() if isinstance(m, torch.nn.AvgPool2d)
    }
    assert maximum == {"pool1", "pool2", "inception_3c", "inception_4e", "inception_5b"}
    assert average == {f"inception_{part}" for part in ("3a", "3b", "4a", "4b", "4c", "4d", "5a")}
