"""The first part of a recipe, its fields up to the starting weights. Imports no torch."""

from dataclasses import dataclass

from convatlas.augmentation import LARGEST
from convatlas.settings import INCREASING, POSITIVE, Settings, at_least, between, setting


@dataclass(frozen=True)
class Learning(Settings):
    """What learns from what, and how."""

    network: str = setting("lenet5", "a name from `convatlas list`")
    data: str = setting(
        "digits",
        "digits, mnist, fashion-mnist, kmnist, cifar10, cifar100, svhn, or a folder of "
        "class folders",
        path=True,
    )
    data_root: str = setting("data", "where named data sets lie", runtime=True, path=True)
    download: bool = setting(False, "fetch a named data set that is not there", runtime=True)
    bad_images: str = setting(
        "error",
        "images of a folder that cannot be decoded: error lists them and stops "
        "before the first step, skip lists them and goes on if they are 1 % or less",
        choices=("error", "skip"),
    )
    check: str = setting(
        "auto",
        "images of a folder that are decoded before the first step, unless they were earlier and "
        "have not changed: all, a sample of 2,000, or none; what is wrong with the others is said "
        "when they are first read. auto is all of up to 300,000 images, and with bad_images = skip",
        runtime=True,
        choices=("auto", "all", "sample", "none"),
    )
    missing_classes: str = setting(
        "error",
        "a val or test folder without some of train's classes: error refuses it, allow measures "
        "the others",
        choices=("error", "allow"),
    )
    max_megapixels: float = setting(
        64.0,
        "the largest image of a folder; each process that reads needs 4 to 16 bytes a pixel",
        **POSITIVE,
    )
    white: float = setting(
        0.0,
        "what is white in images of more than 8 bits; 0 is the end of the range of the training "
        "images: 1, or 2^k - 1 with k = 8, 10, 12, 14 or 16",
        **between(0, 2.0**31),
    )
    size: int = setting(0, "side of the input in pixels; 0 is the paper's", **between(0, LARGEST))
    init: str = setting(
        "paper",
        "initial weights: the paper's, or he for networks of ReLUs without batch norm",
        choices=("paper", "he"),
    )
    val_fraction: float = setting(
        0.1,
        "share of the training images kept for validation; every class gives one image at least",
        allowed="above 0, up to 0.5",
        check=lambda share: 0 < share <= 0.5,
    )
    test_from: str = setting(
        "auto",
        "where the test images of a folder come from: auto is test/, else a fifth of train/; val "
        "is val/, as benchmarks such as ImageNet are measured, and validation images are then "
        "drawn from train/",
        choices=("auto", "val"),
    )

    epochs: int = setting(30, "passes over the training images", **between(1, 1_000_000))
    early_stopping: int = setting(
        0,
        "end the run after this many epochs without a better validation accuracy; 0 is never",
        **at_least(0),
    )
    batch_size: int = setting(64, "images per step, over all processes", **between(1, 2**24))
    opt: str = setting(
        "adamw", "optimiser", choices=("sgd", "adam", "adamw", "rmsprop", "rmsprop-tf")
    )
    lr: float = setting(2e-3, "peak learning rate", **POSITIVE)
    body_lr: float = setting(
        1.0,
        "share of lr with which all but the classifiers learn, as layers that are trained already "
        "may; 1 is all of it",
        allowed="above 0, up to 1",
        check=lambda share: 0 < share <= 1,
    )
    momentum: float = setting(0.9, "momentum of sgd, rmsprop and rmsprop-tf", **between(0, 0.999))
    nesterov: bool = setting(False, "Nesterov momentum")
    eps: float = setting(
        1e-8,
        "epsilon of adam, adamw and rmsprop (beside the root) and rmsprop-tf (inside it)",
        **POSITIVE,
    )
    alpha: float = setting(
        0.99, "what rmsprop and rmsprop-tf keep of the mean of squares", **between(0, 0.9999)
    )
    weight_decay: float = setting(
        0.02, "weight decay (decoupled for adamw, L2 for the others)", **at_least(0)
    )
    decay_norm: bool = setting(
        True, "weight decay on biases, and on the scale and shift of norms, too"
    )
    clip_grad: float = setting(0.0, "largest norm of the gradient; 0 is no limit", **at_least(0))
    accumulate: int = setting(
        1, "parts in which a batch is passed, to use less memory", **at_least(1)
    )
    ema: float = setting(
        0.0,
        "average the weights, keeping this share at each step; the average is measured and "
        "saved; 0 is off",
        **between(0, 0.99999),
    )
    sched: str = setting(
        "cosine",
        "learning-rate schedule",
        choices=("constant", "cosine", "step", "plateau", "polynomial", "exponential"),
    )
    warmup_epochs: float = setting(1.0, "epochs of linear warm-up", **at_least(0))
    warmup_lr: float = setting(0.0, "learning rate at which the warm-up begins", **at_least(0))
    milestones: tuple[float, ...] = setting(
        (), "epochs after which sched=step multiplies the rate by gamma", **INCREASING
    )
    gamma: float = setting(0.1, "factor of sched=step, plateau and exponential", **between(1e-6, 1))
    decay_epochs: float = setting(2.0, "epochs between two decays of sched=exponential", **POSITIVE)
    power: float = setting(1.0, "power of sched=polynomial; 1 is linear", **POSITIVE)
    patience: int = setting(
        5, "epochs without a better validation accuracy before sched=plateau acts", **at_least(0)
    )

    loss: str = setting(
        "cross-entropy",
        "map is LeNet-5's Eq. (9), squared-error the 1989 papers' targets of +-1",
        choices=("cross-entropy", "map", "squared-error"),
    )
    label_smoothing: float = setting(0.0, "label smoothing of the cross-entropy", **between(0, 0.9))
    class_weights: str = setting(
        "none",
        "weight of an image in the training loss: balanced is the mean number of images of a class "
        "over that of its own class, so that rare classes count as much as common ones",
        choices=("none", "balanced"),
    )

    weights: str = setting(
        "", "start from these weights: a file, `torchvision`, or `hub:owner/name`", path=True
    )
    source: str = setting(
        "",
        "whose file `weights` is, where its names fit several networks: `timm`, `timm:resnet50`",
    )
    weights_ema: bool = setting(
        False, "read the average of `weights`, where the file holds one beside the raw ones"
    )
    freeze: tuple[str, ...] = setting((), "stages that are kept as they are")
    freeze_bn: bool = setting(False, "keep every batch norm as it is: statistics, scale and shift")
    sync_bn: bool = setting(False, "batch norm over the batch of all processes, not of each")
