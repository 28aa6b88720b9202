"""The networks, parameters and examples of sharptui's file, in PyTorch."""

from collections import OrderedDict
from dataclasses import dataclass

import torch
from safetensors.torch import load_file
from torch import nn

LEARNING_RATE = 0.1


@dataclass
class Examples:
    images: torch.Tensor
    labels: torch.Tensor


@dataclass
class Case:
    """A network with what it trains on and what λ_max is measured on."""

    model: nn.Module
    train: Examples
    probe: Examples

    @property
    def parameters(self):
        return list(self.model.parameters())


def load(file, dtype=torch.float32):
    tensors = load_file(file)
    examples = {}
    for name in ("train", "probe"):
        images = tensors.pop(f"{name}.images").to(dtype).reshape(-1, 1, 28, 28)
        examples[name] = Examples(images, tensors.pop(f"{name}.labels"))
    model = network(tensors).to(dtype)
    model.load_state_dict(tensors)
    return Case(model, **examples)


def network(tensors):
    """The ReLU network that has these parameters."""
    layers = OrderedDict()
    if "conv1.weight" in tensors:
        for n in (1, 2):
            outputs, inputs, _, _ = tensors[f"conv{n}.weight"].shape
            layers[f"conv{n}"] = nn.Conv2d(inputs, outputs, kernel_size=3, padding=1)
            layers[f"relu{n}"] = nn.ReLU()
            layers[f"pool{n}"] = nn.MaxPool2d(2)
    layers["flatten"] = nn.Flatten()
    for name in sorted(key.removesuffix(".weight") for key in tensors if key.startswith("fc") and "weight" in key):
        outputs, inputs = tensors[f"{name}.weight"].shape
        layers[name] = nn.Linear(inputs, outputs)
        layers[f"relu_{name}"] = nn.ReLU()
    layers.popitem()  # there is none after the outputs
    return nn.Sequential(layers)
