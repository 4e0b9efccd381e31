"""Who else prints numbers of these networks than their own papers, and where to read them."""

from dataclasses import dataclass

RELEASE = "release"


@dataclass(frozen=True)
class Source:
    """One who prints numbers, under an address that can be opened."""

    kind: str  # one of KINDS
    title: str
    address: str


KINDS = {  # in the order in which pages list them -> heading
    "release": "The authors' release",
    "paper": "Other papers",
    "library": "Libraries",
    "tutorial": "Tutorials",
}
SOURCES = {
    RELEASE: Source("release", "The authors' release", ""),  # the address is the paper's `code`
    "Inception-v3": Source(
        "paper",
        "Rethinking the Inception Architecture for Computer Vision",
        "https://arxiv.org/abs/1512.00567",
    ),
    "ResNet": Source(
        "paper",
        "Deep Residual Learning for Image Recognition",
        "https://arxiv.org/abs/1512.03385v1",
    ),
    "Xception": Source(
        "paper",
        "Xception: Deep Learning with Depthwise Separable Convolutions",
        "https://arxiv.org/abs/1610.02357",
    ),
    "ResNeXt": Source(
        "paper",
        "Aggregated Residual Transformations for Deep Neural Networks",
        "https://arxiv.org/abs/1611.05431",
    ),
    "MobileNets": Source(
        "paper",
        "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications",
        "https://arxiv.org/abs/1704.04861v1",
    ),
    "ShuffleNet": Source(
        "paper",
        "ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile Devices",
        "https://arxiv.org/abs/1707.01083",
    ),
    "NASNet": Source(
        "paper",
        "Learning Transferable Architectures for Scalable Image Recognition",
        "https://arxiv.org/abs/1707.07012",
    ),
    "MobileNetV2": Source(
        "paper",
        "MobileNetV2: Inverted Residuals and Linear Bottlenecks",
        "https://arxiv.org/abs/1801.04381",
    ),
    "ShuffleNet V2": Source(
        "paper",
        "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design",
        "https://arxiv.org/abs/1807.11164",
    ),
    "EfficientNet": Source(
        "paper",
        "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
        "https://arxiv.org/abs/1905.11946",
    ),
    "caffe": Source("library", "Caffe", "https://github.com/BVLC/caffe"),
    "torchvision": Source("library", "torchvision", "https://github.com/pytorch/vision"),
    "pytorchcv": Source("library", "pytorchcv", "https://github.com/osmr/imgclsmob"),
    "mmpretrain": Source("library", "MMPretrain", "https://github.com/open-mmlab/mmpretrain"),
    "d2l": Source("tutorial", "Dive into Deep Learning", "https://d2l.ai"),
    "tutorials": Source("tutorial", "Tutorials that copy d2l.ai's first edition", "https://d2l.ai"),
    "d2l slides": Source(
        "tutorial",
        "Dive into Deep Learning, slides (a copy)",
        "http://www.hezhiquan.com/docs/view/761f9f2a8ac549d5ad9b66e533239802_2.html",
    ),
    "d2l notebooks": Source(
        "tutorial",
        "Dive into Deep Learning, slides of its notebooks",
        "https://d2l.smola.org/slides/tensorflow/chapter_convolutional-modern/alexnet.html",
    ),
    # listings that print no number: their own counts, taken when each was run
    "Ryuk17": Source(
        "tutorial", "SpeechAlgorithms (Ryuk17)", "https://github.com/Ryuk17/SpeechAlgorithms"
    ),
    "jaxony": Source("tutorial", "ShuffleNet (jaxony)", "https://github.com/jaxony/ShuffleNet"),
    "leaderj1001": Source(
        "tutorial",
        "MobileNetV3-Pytorch (leaderj1001)",
        "https://github.com/leaderj1001/MobileNetV3-Pytorch",
    ),
    "pytorch-cifar": Source(
        "tutorial", "pytorch-cifar (kuangliu)", "https://github.com/kuangliu/pytorch-cifar"
    ),
}
