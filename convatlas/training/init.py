"""Initial weights that are not the paper's."""

import torch.nn as nn


def he_init_network(net: nn.Module) -> None:
    """He et al. 2015 (arXiv:1502.01852), Eq. (10): N(0, 2 / fan-in), biases 0, and N(0, 0.01) in
    the classifier.

    For networks of ReLUs without batch norm, whose signals fade or grow by the same factor in every
    layer; the weights of all others stay as they are.
    """
    kinds = [type(module) for module in net.modules()]
    if nn.ReLU not in kinds or any(
        issubclass(kind, nn.modules.batchnorm._BatchNorm) for kind in kinds
    ):
        return
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    nn.init.normal_(net.classifier.weight, std=0.01)
