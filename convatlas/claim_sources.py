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
    "ConvNeXt": Source("paper", "A ConvNet for the 2020s", "https://arxiv.org/abs/2201.03545v2"),
    "Res2Net": Source(
        "paper",
        "Res2Net: A New Multi-Scale Backbone Architecture",
        "https://arxiv.org/abs/1904.01169v3",
    ),
    "EfficientNet": Source(
        "paper",
        "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
        "https://arxiv.org/abs/1905.11946",
    ),
    "VGG": Source(
        "paper",
        "Very Deep Convolutional Networks for Large-Scale Image Recognition",
        "https://arxiv.org/abs/1409.1556v6",
    ),
    "DenseNet": Source(
        "paper", "Densely Connected Convolutional Networks", "https://arxiv.org/abs/1608.06993"
    ),
    "timm": Source(
        "library",
        "timm",
        "https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/resnet.py",
    ),
    "timm builder": Source(
        "library",
        "timm, EfficientNet's builder",
        "https://github.com/huggingface/pytorch-image-models/blob/main/timm/models/efficientnet.py",
    ),
    "gluoncv": Source("library", "GluonCV", "https://github.com/dmlc/gluon-cv"),
    "PreResNet": Source(
        "paper", "Identity Mappings in Deep Residual Networks", "https://arxiv.org/abs/1603.05027v3"
    ),
    "SENet": Source(
        "paper", "Squeeze-and-Excitation Networks", "https://arxiv.org/abs/1709.01507v4"
    ),
    "caffe": Source(
        "library",
        "Caffe, examples/mnist",
        "https://github.com/BVLC/caffe/tree/master/examples/mnist",
    ),
    "caffe zoo": Source(
        "library", "Caffe's Model Zoo", "https://github.com/BVLC/caffe/wiki/Model-Zoo"
    ),
    "torchvision": Source(
        "library",
        "torchvision, meta of the weights",
        "https://github.com/pytorch/vision/tree/main/torchvision/models",
    ),
    "pytorchcv": Source(
        "library",
        "pytorchcv, the tests at the end of each model's file",
        "https://github.com/osmr/imgclsmob/tree/master/pytorch/pytorchcv/models",
    ),
    "pytorchcv README": Source(
        "library",
        "pytorchcv, README",
        "https://github.com/osmr/imgclsmob/blob/master/pytorch/README.md",
    ),
    "mmpretrain": Source(
        "library",
        "MMPretrain, SE-ResNet",
        "https://github.com/open-mmlab/mmpretrain/blob/main/configs/seresnet/README.md",
    ),
    "SqueezeNet-Residual": Source(
        "release",
        "SqueezeNet-Residual, of one of SqueezeNet's authors",
        "https://github.com/songhan/SqueezeNet-Residual",
    ),
    "d2l LeNet": Source(
        "tutorial",
        "Dive into Deep Learning, LeNet",
        "https://d2l.ai/chapter_convolutional-neural-networks/lenet.html",
    ),
    "d2l NiN": Source(
        "tutorial",
        "Dive into Deep Learning, NiN",
        "https://d2l.ai/chapter_convolutional-modern/nin.html",
    ),
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
    "Ryuk17": Source(
        "tutorial", "SpeechAlgorithms (Ryuk17)", "https://github.com/Ryuk17/SpeechAlgorithms"
    ),
    "medical care": Source(
        "tutorial",
        "Computational Analysis and Deep Learning for Medical Care (a book, a copy)",
        "https://newlib.net/nw_rd992225/p14",
    ),
    "pytorch-cifar": Source(
        "tutorial", "pytorch-cifar (kuangliu)", "https://github.com/kuangliu/pytorch-cifar"
    ),
}
