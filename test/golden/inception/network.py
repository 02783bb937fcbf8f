"""Inception-v3 as FID uses it, in PyTorch: what runner/engine/nn/extractors/inception-v3.ts is held against.

Layers are named as in the published weights. It differs from the usual Inception-v3 in its 1,008 classes, in average pools
that leave the padding out of the mean, and in a maximum pool where the last block (Mixed_7c) should average.
"""

import torch
from torch import nn
from torch.nn import functional as F


class Unit(nn.Module):
    """Convolution without bias, batch norm, ReLU."""

    def __init__(self, i, o, kernel=1, stride=1, padding=0):
        super().__init__()
        self.conv = nn.Conv2d(i, o, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(o, eps=0.001)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


ROW, COLUMN = dict(kernel=(1, 7), padding=(0, 3)), dict(kernel=(7, 1), padding=(3, 0))
ROW3, COLUMN3 = dict(kernel=(1, 3), padding=(0, 1)), dict(kernel=(3, 1), padding=(1, 0))
THREE, HALVE = dict(kernel=3, padding=1), dict(kernel=3, stride=2)


class Block(nn.Module):
    """Branches side by side; each is a list of (suffix, width, options), a final pair of tuples forks."""

    def __init__(self, i, branches, pool):
        super().__init__()
        self.branches, self.pool = [], pool
        for name, units in branches.items():
            width, names = i, []
            for suffix, out, options in units:
                forks = suffix[-1:] in ("a", "b")
                setattr(self, name + suffix, Unit(width, out, **options))
                names.append((name + suffix, forks))
                width = width if forks else out
            self.branches.append((name, names))

    def forward(self, x):
        outputs = []
        for name, units in self.branches:
            y = x
            if name == "branch_pool":
                y = F.max_pool2d(x, 3, 1, 1) if self.pool == "max" else F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
            forked = []
            for unit, forks in units:
                if forks:
                    forked.append(getattr(self, unit)(y))
                else:
                    y = getattr(self, unit)(y)
            outputs += forked or [y]
        if self.pool == "halve":
            outputs.append(F.max_pool2d(x, 3, 2))
        return torch.cat(outputs, 1)


def block_a(i, pooled):
    return Block(
        i,
        {
            "branch1x1": [("", 64, {})],
            "branch5x5": [("_1", 48, {}), ("_2", 64, dict(kernel=5, padding=2))],
            "branch3x3dbl": [("_1", 64, {}), ("_2", 96, THREE), ("_3", 96, THREE)],
            "branch_pool": [("", pooled, {})],
        },
        "average",
    )


def block_b(i):
    branches = {
        "branch3x3": [("", 384, HALVE)],
        "branch3x3dbl": [("_1", 64, {}), ("_2", 96, THREE), ("_3", 96, HALVE)],
    }
    return Block(i, branches, "halve")


def block_c(i, w):
    return Block(
        i,
        {
            "branch1x1": [("", 192, {})],
            "branch7x7": [("_1", w, {}), ("_2", w, ROW), ("_3", 192, COLUMN)],
            "branch7x7dbl": [("_1", w, {}), ("_2", w, COLUMN), ("_3", w, ROW), ("_4", w, COLUMN), ("_5", 192, ROW)],
            "branch_pool": [("", 192, {})],
        },
        "average",
    )


def block_d(i):
    branches = {
        "branch3x3": [("_1", 192, {}), ("_2", 320, HALVE)],
        "branch7x7x3": [("_1", 192, {}), ("_2", 192, ROW), ("_3", 192, COLUMN), ("_4", 192, HALVE)],
    }
    return Block(i, branches, "halve")


def block_e(i, pool):
    return Block(
        i,
        {
            "branch1x1": [("", 320, {})],
            "branch3x3": [("_1", 384, {}), ("_2a", 384, ROW3), ("_2b", 384, COLUMN3)],
            "branch3x3dbl": [("_1", 448, {}), ("_2", 384, THREE), ("_3a", 384, ROW3), ("_3b", 384, COLUMN3)],
            "branch_pool": [("", 192, {})],
        },
        pool,
    )


class Inception(nn.Module):
    def __init__(self):
        super().__init__()
        self.Conv2d_1a_3x3 = Unit(3, 32, **HALVE)
        self.Conv2d_2a_3x3 = Unit(32, 32, 3)
        self.Conv2d_2b_3x3 = Unit(32, 64, **THREE)
        self.Conv2d_3b_1x1 = Unit(64, 80)
        self.Conv2d_4a_3x3 = Unit(80, 192, 3)
        self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = block_a(192, 32), block_a(256, 64), block_a(288, 64)
        self.Mixed_6a = block_b(288)
        self.Mixed_6b, self.Mixed_6c, self.Mixed_6d, self.Mixed_6e = (block_c(768, w) for w in (128, 160, 160, 192))
        self.Mixed_7a = block_d(768)
        self.Mixed_7b, self.Mixed_7c = block_e(1280, "average"), block_e(2048, "max")
        self.fc = nn.Linear(2048, 1008)

    def forward(self, x):
        """Pixels in [0, 1] -> pool3 features, logits"""
        x = preprocess(x)
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(F.max_pool2d(x, 3, 2)))
        x = F.max_pool2d(x, 3, 2)
        for name, block in self.named_children():
            if name.startswith("Mixed"):
                x = block(x)
        pooled = x.mean((2, 3))
        return pooled, self.fc(pooled)


def preprocess(x):
    """As pytorch-fid does: bilinear to 299 x 299 between pixel centres, without smoothing, then [-1, 1]."""
    return 2 * F.interpolate(x, size=(299, 299), mode="bilinear", align_corners=False) - 1
