"""What a slip of the pen writes for what, by the names of torch: tables of fault_kinds.py."""

Roles = dict[str, list[str]]  # the names of a callable's parameters, in order

ROLE = {
    "stride": {"stride", "s", "strides"},
    "padding": {"padding", "pad"},
    "kernel": {"kernel_size", "kernel", "k"},
    "groups": {"groups", "gpus", "g", "cardinality"},
    "eps": {"eps", "epsilon"},
}
CONV = ["in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups"]
POOL = ["kernel_size", "stride", "padding"]
TORCH: Roles = {
    "Conv2d": CONV,
    "conv2d": ["input", "weight", "bias", "stride", "padding", "dilation", "groups"],
    "MaxPool2d": [*POOL, "dilation", "return_indices", "ceil_mode"],
    "AvgPool2d": [*POOL, "ceil_mode", "count_include_pad"],
    "max_pool2d": ["input", *POOL],
    "avg_pool2d": ["input", *POOL],
    "BatchNorm2d": ["num_features", "eps", "momentum"],
}
ACTIVATIONS = {
    "ReLU": "ReLU6",
    "ReLU6": "ReLU",
    "relu6": "relu",
    "SiLU": "Hardswish",
    "Hardswish": "SiLU",
    "hardswish": "silu",
    "silu": "hardswish",
    "Sigmoid": "Hardsigmoid",
    "Hardsigmoid": "Sigmoid",
    "sigmoid": "tanh",
    "tanh": "sigmoid",
    "softmax": "log_softmax",
}
POOLS = {
    "MaxPool2d": "AvgPool2d",
    "AvgPool2d": "MaxPool2d",
    "AdaptiveAvgPool2d": "AdaptiveMaxPool2d",
    "AdaptiveMaxPool2d": "AdaptiveAvgPool2d",
    "max_pool2d": "avg_pool2d",
    "avg_pool2d": "max_pool2d",
    "adaptive_avg_pool2d": "adaptive_max_pool2d",
    "mean": "amax",
    "amax": "mean",
}
NOT_OF_MAXIMUM = {"count_include_pad", "divisor_override"}
INITS = {
    "kaiming_normal_": "kaiming_uniform_",
    "xavier_normal_": "xavier_uniform_",
    "xavier_uniform_": "xavier_normal_",
    "zeros_": "ones_",
    "ones_": "zeros_",
    "zeros": "ones",
    "ones": "zeros",
}
DRAWN = {"normal_", "uniform_", "trunc_normal_", "constant_"}
SPLITS = {"chunk", "split", "unbind"}
