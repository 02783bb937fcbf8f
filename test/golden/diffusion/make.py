"""Writes reference.json: a small conditional U-Net, its losses and gradients, and steps of DDIM, as PyTorch computes them.

    python3 test/golden/diffusion/make.py          (PyTorch 1.13, numpy)

The network is written here from the paper's description, apart from the product. Weights, images and noise come from the
generator in ../uniform.py, so that both sides have the same. PyTorch runs in double precision. Gradients are kept as 32
random projections a tensor; sketch() in ../uniform.py says why that bounds their error. Outputs and samples are kept in full.
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

IMAGES, NOISE, START, STEP_NOISE, FIRST_TENSOR = 301, 302, 303, 304, 320
SMALL = dict(image=(3, 8), classes=3, channels=8, multipliers=[1, 2], blocks=1, attention=[4], groups=4)
CIFAR10 = dict(image=(3, 32), classes=10, channels=128, multipliers=[1, 2, 2, 2], blocks=2, attention=[16], groups=32)


def swish(x):
    return x * torch.sigmoid(x)


class ResidualBlock(nn.Module):
    def __init__(self, inputs, outputs, channels, groups):
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, inputs, eps=1e-6)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.embedding = nn.Linear(8 * channels, outputs)
        self.norm2 = nn.GroupNorm(groups, outputs, eps=1e-6)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x, embedding):
        h = self.conv1(swish(self.norm1(x)))
        h = h + self.embedding(embedding)[:, :, None, None]
        return self.shortcut(x) + self.conv2(swish(self.norm2(h)))


class Attention(nn.Module):
    def __init__(self, channels, groups):
        super().__init__()
        self.norm = nn.GroupNorm(groups, channels, eps=1e-6)
        self.query, self.key, self.value, self.out = (nn.Conv2d(channels, channels, 1) for _ in range(4))

    def forward(self, x):
        h = self.norm(x)
        q, k, v = (part(h).flatten(2) for part in (self.query, self.key, self.value))
        weights = torch.softmax(torch.einsum("bci,bcj->bij", q, k) / math.sqrt(x.shape[1]), dim=-1)
        return x + self.out(torch.einsum("bij,bcj->bci", weights, v).view_as(x))


class Stage(nn.Module):
    """A residual block, with attention where asked."""

    def __init__(self, inputs, outputs, channels, groups, attends):
        super().__init__()
        self.block = ResidualBlock(inputs, outputs, channels, groups)
        self.attention = Attention(outputs, groups) if attends else None

    def forward(self, x, embedding):
        h = self.block(x, embedding)
        return h if self.attention is None else self.attention(h)


class UNet(nn.Module):
    def __init__(self, image, classes, channels, multipliers, blocks, attention, groups):
        super().__init__()
        depth, size = image
        self.size = channels
        self.time = nn.ModuleList([nn.Linear(channels, 4 * channels), nn.Linear(4 * channels, 4 * channels)])
        self.table = nn.Parameter(torch.zeros(classes, channels))
        self.null = nn.Parameter(torch.zeros(1, channels))
        self.kind = nn.ModuleList([nn.Linear(channels, 4 * channels), nn.Linear(4 * channels, 4 * channels)])
        self.first = nn.Conv2d(depth, channels, 3, padding=1)
        stage = lambda inputs, outputs, at: Stage(inputs, outputs, channels, groups, at in attention)
        self.down, self.shrink, self.up, self.grow = (nn.ModuleDict() for _ in range(4))
        widths, now = [channels], channels
        for level, multiplier in enumerate(multipliers):
            out = channels * multiplier
            for i in range(blocks):
                self.down[f"{level}_{i}"] = stage(now, out, size)
                now = out
                widths.append(now)
            if level < len(multipliers) - 1:
                self.shrink[str(level)] = nn.Conv2d(now, now, 3, stride=2)
                widths.append(now)
                size //= 2
        self.middle = nn.ModuleList([ResidualBlock(now, now, channels, groups) for _ in range(2)])
        self.middle_attention = Attention(now, groups)
        for level, multiplier in reversed(list(enumerate(multipliers))):
            out = channels * multiplier
            for i in range(blocks + 1):
                self.up[f"{level}_{i}"] = stage(now + widths.pop(), out, size)
                now = out
            if level > 0:
                self.grow[str(level)] = nn.Conv2d(now, now, 3, padding=1)
                size *= 2
        self.norm = nn.GroupNorm(groups, now, eps=1e-6)
        self.last = nn.Conv2d(now, depth, 3, padding=1)
        self.levels, self.blocks = len(multipliers), blocks

    def forward(self, x, t, labels):
        half = self.size // 2
        frequencies = torch.exp(-math.log(10000) * torch.arange(half, dtype=x.dtype) / (half - 1))
        angles = t.to(x.dtype)[:, None] * frequencies
        time = self.time[1](swish(self.time[0](torch.cat([angles.sin(), angles.cos()], 1))))
        kind = self.kind[1](swish(self.kind[0](torch.cat([self.table, self.null])[labels])))
        embedding = torch.cat([swish(time), swish(kind)], 1)
        h = self.first(x)
        kept = [h]
        for level in range(self.levels):
            for i in range(self.blocks):
                h = self.down[f"{level}_{i}"](h, embedding)
                kept.append(h)
            if level < self.levels - 1:
                h = self.shrink[str(level)](F.pad(h, (0, 1, 0, 1)))
                kept.append(h)
        h = self.middle[1](self.middle_attention(self.middle[0](h, embedding)), embedding)
        for level in reversed(range(self.levels)):
            for i in range(self.blocks + 1):
                h = self.up[f"{level}_{i}"](torch.cat([h, kept.pop()], 1), embedding)
            if level > 0:
                h = self.grow[str(level)](F.interpolate(h, scale_factor=2, mode="nearest"))
        return self.last(swish(self.norm(h)))


def product_name(name):
    """The product's name of a parameter."""
    head, *rest = name.split(".")
    rest = ".".join(rest)
    if head in ("table", "null"):
        return f"class.{head}"
    if head in ("first", "last"):
        return f"{'in' if head == 'first' else 'out'}.{rest}"
    if head == "norm":
        return f"out.norm.{rest}"
    if head == "kind":
        return f"class.{rest}"
    if head in ("shrink", "grow"):
        level, rest = rest.split(".")
        return f"down.{level}.half.{rest}" if head == "shrink" else f"up.{level}.double.{rest}"
    if head == "middle_attention":
        return f"middle.attention.{rest}"
    if head in ("down", "up"):
        place, part, rest = rest.split(".", 2)
        return f"{head}.{place.replace('_', '.')}.{rest}" if part == "block" else f"{head}.{place.replace('_', '.')}.{part}.{rest}"
    return name


def initial(name, shape, stream):
    if "norm" in name:
        return uniforms(stream, shape, *((0.5, 1.5) if name.endswith("weight") else (-0.3, 0.3)))
    if name in ("class.table", "class.null"):
        return uniforms(stream, shape, -1, 1)
    fan_in = int(np.prod(shape[1:])) if len(shape) > 1 else shape[0]
    bound = math.sqrt(3 / fan_in)
    return uniforms(stream, shape, -bound, bound)


torch.set_num_threads(2)
count = sum(parameter.numel() for parameter in UNet(**CIFAR10).parameters())
model = UNet(**SMALL)
named = sorted((product_name(name), parameter) for name, parameter in model.named_parameters())
streams = {name: FIRST_TENSOR + index for index, (name, _) in enumerate(named)}
with torch.no_grad():
    for name, parameter in named:
        parameter.copy_(torch.from_numpy(initial(name, tuple(parameter.shape), streams[name])))
model = model.double()

betas = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
alpha_bar = torch.cumprod(1 - betas, 0)
depth, size = SMALL["image"]
N = 4
t = torch.tensor([0, 17, 500, 999])
labels = torch.tensor([0, 2, 3, 1])  # 3 is the null class
draw = lambda stream, *shape: torch.from_numpy(uniforms(stream, shape, -1.7, 1.7)).double()
images = torch.from_numpy(np.floor(uniforms(IMAGES, (N, depth, size, size), 0, 256))).double()
x0 = 2 * images / 255 - 1
noise = draw(NOISE, N, depth, size, size)
a = alpha_bar[t].view(-1, 1, 1, 1)
x_t = a.sqrt() * x0 + (1 - a).sqrt() * noise

output = model(x_t, t, labels)
losses, gradients = {}, {}
for reduction in ("sum", "mean"):
    model.zero_grad()
    squares = (noise - model(x_t, t, labels)).square()
    loss = squares.sum((1, 2, 3)).mean() if reduction == "sum" else squares.mean()
    loss.backward()
    losses[reduction] = loss.item()
    if reduction == "sum":
        gradients = {
            name: {
                "shape": list(parameter.shape),
                "norm": parameter.grad.norm().item(),
                "sketch": [float(f"{p:.8g}") for p in sketch(streams[name], parameter.grad.numpy())],
            }
            for name, parameter in named
        }


def ddim(eta, steps, guidance):
    """x after each step, from the same start and the same noise."""
    taken = list(range(0, 1000, 1000 // steps))
    x = draw(START, N, depth, size, size)
    fresh = draw(STEP_NOISE, steps, N, depth, size, size)
    kind = torch.tensor([0, 1, 2, 0])
    path = []
    for i in reversed(range(steps)):
        now, before = taken[i], taken[i - 1] if i > 0 else -1
        a, p = alpha_bar[now], alpha_bar[before] if before >= 0 else torch.tensor(1.0, dtype=torch.float64)
        time = torch.full((N,), now)
        with torch.no_grad():
            known, none = model(x, time, kind), model(x, time, torch.full((N,), SMALL["classes"]))
        e = (1 + guidance) * known - guidance * none
        clean = (x - (1 - a).sqrt() * e) / a.sqrt()
        sigma = eta * ((1 - p) / (1 - a) * (1 - a / p)).sqrt()
        x = p.sqrt() * clean + (1 - p - sigma**2).clamp(min=0).sqrt() * e + sigma * fresh[steps - 1 - i]
        path.append(x.flatten().tolist())
    return path


short = lambda numbers: [float(f"{n:.7g}") for n in numbers]
reference = {
    "small": SMALL,
    "cifar10Parameters": count,
    "t": t.tolist(),
    "labels": labels.tolist(),
    "output": short(output.detach().flatten().tolist()),
    "losses": losses,
    "gradients": gradients,
    "ddim": {f"eta{eta}": [short(x) for x in ddim(eta, 5, 2.0)] for eta in (0, 1)},
    "alphaBars": {
        "linear": short(alpha_bar[[0, 1, 499, 998, 999]].tolist()),
    },
}
print("parameters", count, sum(p.numel() for p in model.parameters()), "losses", losses)
(here / "reference.json").write_text(json.dumps(reference, separators=(",", ":")) + "\n")
