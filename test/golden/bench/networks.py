"""The networks of runner/nn in PyTorch, with the engine's names of parameters, for comparisons of time."""

import math

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.downsample(x))


class ResNet18(nn.Module):
    def __init__(self, depth, width):
        super().__init__()
        self.conv1 = nn.Conv2d(depth, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        now = width
        for stage, stride in enumerate([1, 2, 2, 2]):
            out = width * 2**stage
            setattr(self, f"layer{stage + 1}", nn.Sequential(Block(now, out, stride), Block(out, out, 1)))
            now = out
        self.fc = nn.Linear(now, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1((x - 0.5) / 0.25)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


class SmallCnn(nn.Module):
    def __init__(self, depth, width, hidden):
        super().__init__()
        self.conv1 = nn.Conv2d(depth, width, 3, 2, 1, bias=False)
        self.conv2 = nn.Conv2d(width, 2 * width, 3, 2, 1, bias=False)
        self.conv3 = nn.Conv2d(2 * width, 2 * width, 3, 1, 1, bias=False)
        self.bn1, self.bn2, self.bn3 = (nn.BatchNorm2d(size) for size in (width, 2 * width, 2 * width))
        self.fc1, self.fc2 = nn.Linear(2 * width * 49, hidden), nn.Linear(hidden, 10)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1((x - 0.5) / 0.25)))
        x = F.relu(self.bn2(self.conv2(x)))
        x = F.relu(self.bn3(self.conv3(x)))
        return self.fc2(F.relu(self.fc1(x.flatten(1))))


class ResidualBlock(nn.Module):
    def __init__(self, inputs, outputs, channels, groups):
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, inputs, eps=1e-6)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.embedding = nn.Linear(8 * channels, outputs)
        self.norm2 = nn.GroupNorm(groups, outputs, eps=1e-6)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        self.attention = nn.Identity()

    def forward(self, x, embedding):
        h = self.conv1(F.silu(self.norm1(x))) + self.embedding(embedding)[:, :, None, None]
        return self.attention(self.shortcut(x) + self.conv2(F.silu(self.norm2(h))))


class Attention(nn.Module):
    def __init__(self, channels, groups):
        super().__init__()
        self.norm = nn.GroupNorm(groups, channels, eps=1e-6)
        self.query, self.key, self.value, self.out = (nn.Conv2d(channels, channels, 1) for _ in range(4))

    def forward(self, x):
        h = self.norm(x)
        q, k, v = (part(h).flatten(2).transpose(1, 2) for part in (self.query, self.key, self.value))
        seen = F.scaled_dot_product_attention(q, k, v) if hasattr(F, "scaled_dot_product_attention") else self.slow(q, k, v)
        return x + self.out(seen.transpose(1, 2).reshape(x.shape))

    def slow(self, q, k, v):
        return torch.softmax(q @ k.transpose(1, 2) / math.sqrt(q.shape[2]), -1) @ v


class UNet(nn.Module):
    def __init__(self, image, channels, multipliers, blocks, attention, groups, dropout):
        super().__init__()
        if dropout:
            raise ValueError("dropout is not part of this comparison")
        depth, size = image[0], image[1]
        self.size, self.levels, self.blocks = channels, len(multipliers), blocks
        self.time = nn.ModuleList([nn.Linear(channels, 4 * channels), nn.Linear(4 * channels, 4 * channels)])
        kinds = nn.ModuleDict({"0": nn.Linear(channels, 4 * channels), "1": nn.Linear(4 * channels, 4 * channels)})
        kinds.table, kinds.null = nn.Parameter(torch.zeros(10, channels)), nn.Parameter(torch.zeros(1, channels))
        self.add_module("class", kinds)
        self.add_module("in", nn.Conv2d(depth, channels, 3, padding=1))
        self.down, self.up = nn.ModuleDict(), nn.ModuleDict()

        def block(inputs, outputs, at):
            made = ResidualBlock(inputs, outputs, channels, groups)
            if at in attention:
                made.attention = Attention(outputs, groups)
            return made

        widths, now = [channels], channels
        for level, multiplier in enumerate(multipliers):
            self.down[str(level)] = stage = nn.ModuleDict()
            for i in range(blocks):
                stage[str(i)] = block(now, channels * multiplier, size)
                now = channels * multiplier
                widths.append(now)
            if level < self.levels - 1:
                stage["half_"] = nn.Conv2d(now, now, 3, stride=2)
                widths.append(now)
                size //= 2
        middle = [ResidualBlock(now, now, channels, groups), Attention(now, groups), ResidualBlock(now, now, channels, groups)]
        self.middle = nn.ModuleDict(zip(["0", "attention", "1"], middle))
        for level, multiplier in reversed(list(enumerate(multipliers))):
            self.up[str(level)] = stage = nn.ModuleDict()
            for i in range(blocks + 1):
                stage[str(i)] = block(now + widths.pop(), channels * multiplier, size)
                now = channels * multiplier
            if level > 0:
                stage["double_"] = nn.Conv2d(now, now, 3, padding=1)
                size *= 2
        last = nn.Conv2d(now, depth, 3, padding=1)
        last.norm = nn.GroupNorm(groups, now, eps=1e-6)
        self.out = last

    def forward(self, x, t, labels):
        half = self.size // 2
        frequencies = torch.exp(-math.log(10000) * torch.arange(half) / (half - 1))
        angles = t[:, None] * frequencies
        time = self.time[1](F.silu(self.time[0](torch.cat([angles.sin(), angles.cos()], 1))))
        kinds = getattr(self, "class")
        kind = kinds["1"](F.silu(kinds["0"](torch.cat([kinds.table, kinds.null])[labels])))
        embedding = torch.cat([F.silu(time), F.silu(kind)], 1)
        h = getattr(self, "in")(x)
        kept = [h]
        for level in range(self.levels):
            stage = self.down[str(level)]
            for i in range(self.blocks):
                h = stage[str(i)](h, embedding)
                kept.append(h)
            if level < self.levels - 1:
                h = stage["half_"](F.pad(h, (0, 1, 0, 1)))
                kept.append(h)
        h = self.middle["0"](h, embedding)
        h = self.middle["1"](self.middle["attention"](h), embedding)
        for level in reversed(range(self.levels)):
            stage = self.up[str(level)]
            for i in range(self.blocks + 1):
                h = stage[str(i)](torch.cat([h, kept.pop()], 1), embedding)
            if level > 0:
                h = stage["double_"](F.interpolate(h, scale_factor=2, mode="nearest"))
        return self.out(F.silu(self.out.norm(h)))
