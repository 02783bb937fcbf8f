"""Writes reference.json: two training steps of a very small network in PyTorch, in double precision.

    /usr/bin/python3 test/golden/self-test/make.py          (PyTorch 1.13)

Three convolutions with batch norm and two linear layers on twelve 8x8 images of three classes, one batch a step, SGD with
momentum and weight decay. Pixels and weights follow from whole numbers, so that nothing needs a random generator. Kept are
the loss of both steps, and of each parameter and buffer afterwards its first entry and its norm.
"""

import json
from pathlib import Path

import numpy as np
import torch
from torch import nn

IMAGES, SIDE, CLASSES, STEPS = 12, 8, 3, 2
n, p = np.meshgrid(np.arange(IMAGES), np.arange(SIDE * SIDE), indexing="ij")
pixels = (n * n * 31 + p * p * 7 + n * p * 13) % 256
labels = torch.arange(IMAGES) % CLASSES
x = torch.from_numpy(pixels.reshape(IMAGES, 1, SIDE, SIDE) / 255).double()

network = nn.Sequential()
for index, (inside, out, stride) in enumerate([(1, 2, 2), (2, 4, 2), (4, 4, 1)], start=1):
    network.add_module(f"conv{index}", nn.Conv2d(inside, out, 3, stride, 1, bias=False))
    network.add_module(f"bn{index}", nn.BatchNorm2d(out))
    network.add_module(f"relu{index}", nn.ReLU())
network.add_module("flat", nn.Flatten())
network.add_module("fc1", nn.Linear(16, 4))
network.add_module("relu4", nn.ReLU())
network.add_module("fc2", nn.Linear(4, CLASSES))
network.double().train()

with torch.no_grad():
    weights = [(name, value) for name, value in network.named_parameters() if not name.startswith("bn")]
    for k, (name, value) in enumerate(weights):
        i = np.arange(value.numel())
        start = (((i * i * 17 + i * 29 + k * 41) % 101) - 50) / 125
        value.copy_(torch.from_numpy(start.astype(np.float32)).double().reshape(value.shape))

optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
losses = []
for _ in range(STEPS):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(network((x - 0.5) / 0.25), labels)
    loss.backward()
    optimizer.step()
    losses.append(loss.item())

state = {name: value for name, value in network.state_dict().items() if not name.endswith("num_batches_tracked")}
reference = {
    "losses": losses,
    "state": {name: [value.flatten()[0].item(), value.norm().item()] for name, value in state.items()},
}
(Path(__file__).parent / "reference.json").write_text(json.dumps(reference, separators=(",", ":")) + "\n")
