"""Writes example.pth: a state dict as PyTorch before 1.6 saved it, with two tensors in one storage.

    python3 test/golden/torch-file/make.py          (PyTorch 1.13)
"""

from pathlib import Path

import torch
from torch import nn

module = nn.Sequential(nn.Conv2d(2, 3, (1, 3), bias=False), nn.BatchNorm2d(3), nn.Linear(4, 300))
state = module.state_dict()
for name, tensor in state.items():
    tensor.copy_(torch.arange(tensor.numel()).reshape(tensor.shape) / 8 - len(name))
state["tail"] = state["2.bias"][298:]
torch.save(state, Path(__file__).with_name("example.pth"), _use_new_zipfile_serialization=False)
