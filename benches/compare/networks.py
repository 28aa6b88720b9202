"""Loads the networks, parameters and examples of a file of sharptui into PyTorch.

A network is recognized by the names of its parameters; their shapes give its sizes.
"""

from collections import OrderedDict
from dataclasses import dataclass

import torch
from safetensors import safe_open
from torch import nn
from torch.nn import functional

ACTIVATIONS = {"Relu": nn.ReLU, "Tanh": nn.Tanh}


@dataclass
class Examples:
    images: torch.Tensor
    labels: torch.Tensor


@dataclass
class Case:
    """A network with its training set and the probe.

    Batch norm uses batch statistics in both modules. `model` also gathers running statistics, as in training. `measured`
    has the same parameters and no running statistics, so that PyTorch's evaluation mode, which PyHessian turns on, does not
    change the function.
    """

    model: nn.Module
    measured: nn.Module
    loss: nn.Module
    learning_rate: float
    examples: dict[str, Examples]

    @property
    def train(self):
        """The training set, or the probe if the file has no training set."""
        return self.examples.get("train", self.probe)

    @property
    def probe(self):
        return self.examples["probe"]

    @property
    def parameters(self):
        """The parameters of the measured network."""
        return list(self.measured.parameters())

    @property
    def device(self):
        return self.probe.images.device


class SquaredError(nn.Module):
    """½ ‖z − y‖² for the one-hot label y, averaged over examples."""

    def forward(self, outputs, labels):
        expected = functional.one_hot(labels, outputs.shape[1]).to(outputs.dtype)
        return 0.5 * (outputs - expected).square().sum(1).mean()


LOSSES = {"CrossEntropy": nn.CrossEntropyLoss, "SquaredError": SquaredError}


def load(file, dtype=torch.float32, device="cpu"):
    with safe_open(file, "pt") as opened:
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}
        words = opened.metadata()
    if words.get("normalization", "batch") == "running":
        raise ValueError(f"{file}: λ_max with running statistics is not that of a batch")
    examples = {}
    for name in ("train", "probe"):
        if f"{name}.images" in tensors:
            images = tensors.pop(f"{name}.images").to(device, dtype)
            examples[name] = Examples(images, tensors.pop(f"{name}.labels").to(device))
    activation = ACTIVATIONS[words["activation"]]
    model, measured = (network(tensors, activation, running, dtype).to(device) for running in (True, False))
    rate = float(words.get("learning_rate", 0))
    return Case(model, measured, LOSSES[words["loss"]](), rate, examples)


def network(tensors, activation, running, dtype):
    """Returns the network with these parameters; `running` tells whether batch norm gathers running statistics."""
    build = Builder(tensors, activation, running)
    if "features.0.weight" in tensors:
        model = vgg11(build)
    elif "layer1.0.conv1.weight" in tensors:
        model = resnet(build)
    elif "conv1.weight" in tensors:
        model = cnn(build)
    else:
        model = mlp(build)
    # Must come before the parameters are loaded: parameters of 64 bits would be rounded to 32.
    model = model.to(dtype)
    wanted = model.state_dict()
    left = {name for name in tensors if not (name in wanted or is_running(name))}
    if left:
        raise ValueError(f"the network has no {sorted(left)}")
    model.load_state_dict({name: tensors[name] for name in wanted})
    return model


def is_running(name):
    return name.rsplit(".", 1)[-1] in ("running_mean", "running_var", "num_batches_tracked")


class Builder:
    """Builds layers with the sizes of their parameters."""

    def __init__(self, tensors, activation, running):
        self.tensors, self.activation, self.running = tensors, activation, running

    def has(self, name):
        return f"{name}.weight" in self.tensors

    def conv(self, name, stride=1):
        outputs, inputs, kernel, _ = self.tensors[f"{name}.weight"].shape
        bias = f"{name}.bias" in self.tensors
        return nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=bias)

    def linear(self, name):
        outputs, inputs = self.tensors[f"{name}.weight"].shape
        return nn.Linear(inputs, outputs)

    def norm(self, name, kind=nn.BatchNorm2d):
        """Returns batch norm, or an identity if the network has none."""
        if not self.has(name):
            return nn.Identity()
        return kind(len(self.tensors[f"{name}.weight"]), track_running_stats=self.running)


def mlp(build):
    layers, n = OrderedDict(flatten=nn.Flatten()), 1
    while build.has(f"fc{n}"):
        layers[f"fc{n}"] = build.linear(f"fc{n}")
        if build.has(f"fc{n + 1}"):
            layers[f"bn{n}"] = build.norm(f"bn{n}", nn.BatchNorm1d)
            layers[f"activation{n}"] = build.activation()
        n += 1
    return nn.Sequential(layers)


def cnn(build):
    layers = OrderedDict()
    for n in (1, 2):
        layers[f"conv{n}"] = build.conv(f"conv{n}")
        layers[f"bn{n}"] = build.norm(f"bn{n}")
        layers[f"activation{n}"] = build.activation()
        layers[f"pool{n}"] = nn.MaxPool2d(2)
    layers["flatten"], layers["fc"] = nn.Flatten(), build.linear("fc")
    return nn.Sequential(layers)


# VGG-11: whether a pool follows each convolution.
POOLS = (True, True, False, True, False, True, False, True)


class Pool(nn.Module):
    """Pools 2×2, unless the image has a single row or column."""

    def forward(self, x):
        return functional.max_pool2d(x, 2) if min(x.shape[2:]) > 1 else x


def vgg11(build):
    """Returns torchvision's `vgg11` or `vgg11_bn` without the average pool. Its numbers count every module."""
    features, number = OrderedDict(), 0
    # Module 1 is batch norm if there is one, and otherwise an activation, which has no parameters.
    modules = 3 if build.has("features.1") else 2
    for pool in POOLS:
        features[str(number)] = build.conv(f"features.{number}")
        if modules == 3:
            features[str(number + 1)] = build.norm(f"features.{number + 1}")
        features[str(number + modules - 1)] = build.activation()
        if pool:
            features[str(number + modules)] = Pool()
        number += modules + pool
    classifier = OrderedDict()
    for name in ("0", "3"):
        classifier[name] = build.linear(f"classifier.{name}")
        classifier[str(int(name) + 1)] = build.activation()
    classifier["6"] = build.linear("classifier.6")
    parts = OrderedDict(features=nn.Sequential(features), flatten=nn.Flatten(), classifier=nn.Sequential(classifier))
    return nn.Sequential(parts)


class Subsample(nn.Module):
    """The shortcut: every second row and column, and zeros for the new channels."""

    def __init__(self, channels):
        super().__init__()
        self.channels = channels

    def forward(self, x):
        return functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, self.channels - x.shape[1]))


class Block(nn.Module):
    """Two convolutions with a shortcut."""

    def __init__(self, build, name, stride):
        super().__init__()
        self.conv1, self.bn1 = build.conv(f"{name}.conv1", stride), build.norm(f"{name}.bn1")
        self.conv2, self.bn2 = build.conv(f"{name}.conv2"), build.norm(f"{name}.bn2")
        self.activation = build.activation()
        if build.has(f"{name}.downsample.0"):
            shortcut = [build.conv(f"{name}.downsample.0", stride), build.norm(f"{name}.downsample.1")]
            self.downsample = nn.Sequential(*shortcut)
        else:
            self.downsample = nn.Identity() if stride == 1 else Subsample(self.conv2.out_channels)

    def forward(self, x):
        inner = self.activation(self.bn1(self.conv1(x)))
        return self.activation(self.bn2(self.conv2(inner)) + self.downsample(x))


class Average(nn.Module):
    """The mean over each image."""

    def forward(self, x):
        return x.mean((2, 3))


def resnet(build):
    """Returns ResNet-18 (with projections) or ResNet-20 (without), with a stem for small images."""
    layers = OrderedDict(conv1=build.conv("conv1"), bn1=build.norm("bn1"), activation=build.activation())
    stage = 1
    while build.has(f"layer{stage}.0.conv1"):
        blocks = []
        while build.has(name := f"layer{stage}.{len(blocks)}.conv1"):
            stride = 2 if stage > 1 and not blocks else 1
            blocks.append(Block(build, name.removesuffix(".conv1"), stride))
        layers[f"layer{stage}"] = nn.Sequential(*blocks)
        stage += 1
    layers["average"], layers["fc"] = Average(), build.linear("fc")
    return nn.Sequential(layers)
