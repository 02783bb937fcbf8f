"""Writes reference.json: three SGD steps of ResNet-18 (CIFAR stem, 11,173,962 parameters) as PyTorch computes them.

    python3 test/golden/resnet18/make.py          (PyTorch 1.13, numpy)

Initial weights, images and labels come from the generator in ../uniform.py, so that both sides have the same and none
are committed. PyTorch runs in double precision: what a single-precision engine is off by is then its own error, and
the reference doesn't depend on threads or kernels. The script prints how far PyTorch's own single precision is off.

A ReLU input within rounding of 0 may take the other branch, which changes gradients by 1e-2 and isn't wrong. Of 700
streams, IMAGES is the one whose ReLU inputs in the first step keep furthest from 0: at least 3.2 times the single-precision
error of their channel, of 4.5 million. Later steps can't be kept off the kink as well, so the rate is small.

The test bounds norm(difference) / norm for every gradient of the first step, and for every weight and running
statistic after three steps, without the 11 million numbers: sketch() in ../uniform.py keeps 32 random projections of
each tensor and says why that is sound. Losses are kept in full.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

here = Path(__file__).parent
sys.path.append(str(here.parent))
from uniform import sketch, uniforms  # noqa: E402

BATCH, STEPS, CLASSES = 8, 3, 10
RATE, MOMENTUM, WEIGHT_DECAY = 0.0005, 0.9, 5e-4
MEAN, STD = [0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]
IMAGES, LABELS, FIRST_TENSOR = 891, 202, 210  # streams; tensor number i has stream FIRST_TENSOR + i

relu_inputs = []


def relu(x):
    relu_inputs.append(x.detach())
    return F.relu(x)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x):
        y = relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet18(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = nn.Sequential(Block(64, 64, 1), Block(64, 64, 1))
        self.layer2 = nn.Sequential(Block(64, 128, 2), Block(128, 128, 1))
        self.layer3 = nn.Sequential(Block(128, 256, 2), Block(256, 256, 1))
        self.layer4 = nn.Sequential(Block(256, 512, 2), Block(512, 512, 1))
        self.fc = nn.Linear(512, CLASSES)
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(3, 1, 1), persistent=False)

    def forward(self, x):
        x = relu(self.bn1(self.conv1((x - self.mean) / self.std)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


def initial(index, shape, name):
    """Bounds as of He et al. for convolutions and 1/sqrt(fan-in) for the last layer; batch norm off its identity."""
    if len(shape) == 4:
        bound = math.sqrt(6 / (shape[0] * shape[2] * shape[3]))
    elif name.startswith("fc"):
        bound = 1 / math.sqrt(512)
    elif name.endswith("weight"):
        return uniforms(FIRST_TENSOR + index, shape, 0.5, 1.5)
    else:
        bound = 0.2
    return uniforms(FIRST_TENSOR + index, shape, -bound, bound)


def train(dtype):
    """Losses, gradients of the first step, trained and initial tensors, and all inputs of ReLU."""
    relu_inputs.clear()
    model = ResNet18()
    with torch.no_grad():
        for index, (name, parameter) in enumerate(model.named_parameters()):
            parameter.copy_(torch.from_numpy(initial(index, parameter.shape, name)))
    model = model.to(dtype).train()
    start = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    images = torch.from_numpy(np.floor(uniforms(IMAGES, (STEPS, BATCH, 3, 32, 32), 0, 256))).to(dtype) / 255
    labels = torch.from_numpy(np.floor(uniforms(LABELS, (STEPS, BATCH), 0, CLASSES)).astype(np.int64))
    optimizer = torch.optim.SGD(model.parameters(), RATE, MOMENTUM, weight_decay=WEIGHT_DECAY)
    losses, gradients = [], {}
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images[step]), labels[step])
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            gradients = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
        optimizer.step()
    trained = {name: tensor for name, tensor in model.state_dict().items() if not name.endswith("tracked")}
    return losses, gradients, trained, start, list(relu_inputs)


def margin(double, single):
    """Smallest distance of a first-step ReLU input from 0, in units of its channel's single-precision error."""
    def of(exact, rounded):
        error = (rounded.double() - exact).square().mean((0, 2, 3), keepdim=True).sqrt()
        return (exact.abs() / error).min().item()

    first_step = slice(len(double[4]) // STEPS)
    return min(of(exact, rounded) for exact, rounded in zip(double[4][first_step], single[4][first_step]))


def summary(index, tensor, start=None):
    tensor = tensor.detach().double()
    moved = {} if start is None else {"moved": (tensor - start.double()).norm().item()}
    return {
        "shape": list(tensor.shape),
        "norm": tensor.norm().item(),
        **moved,
        "sketch": [float(f"{projection:.10g}") for projection in sketch(FIRST_TENSOR + index, tensor.numpy())],
    }


double = train(torch.float64)
losses, gradients, trained, start, _ = double
names = list(gradients) + [name for name in trained if name not in gradients]
assert sum(gradient.numel() for gradient in gradients.values()) == 11_173_962

single = train(torch.float32)
error = lambda a, b: ((a - b).norm() / b.norm()).item()
print("margin", margin(double, single))
print("single precision is off by at most")
print("  gradients", max((error(single[1][name].double(), gradients[name]), name) for name in gradients))
print("  trained", max((error(single[2][name].double(), trained[name]), name) for name in trained))
moved = lambda run, name: (run[2][name] - run[3][name]).double()
print("  moves", max((error(moved(single, name), trained[name] - start[name]), name) for name in trained))
print("  losses", [a - b for a, b in zip(single[0], losses)])

reference = {
    "optimizer": {"rate": RATE, "momentum": MOMENTUM, "weightDecay": WEIGHT_DECAY},
    "losses": losses,
    "gradients": {name: summary(names.index(name), gradients[name]) for name in gradients},
    "trained": {name: summary(names.index(name), trained[name], start[name]) for name in names},
}
(here / "reference.json").write_text(json.dumps(reference, separators=(",", ":")) + "\n")
