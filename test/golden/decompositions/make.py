"""Writes classifiers of ops that reading writes as others, and what PyTorch answers and learns with the same weights.

    python3 test/golden/decompositions/make.py          (PyTorch 2.15, onnx 1.23.2, onnxscript)

rows      recurrent layers over the rows of an image: LSTM of two layers in both directions, GRU, RNN
sampled   a transformer of space: AffineGrid, GridSample
mixed     blocks of space to depth and back, LRN, Mish, Celu, Einsum, Trilu, LpPool, Sinh, Atan, Asinh
folded    windows taken out of a map, weighed, and summed into one again, which is Col2Im
attended  RMSNormalization and causal Attention, in parts where the opset has no such op

Each is there by the default exporter (`-dynamo`) and, where it can, by the older one (`-legacy`). <name>.json holds the logits of a
batch, and the loss before each of four steps of SGD, in double precision: the weights of the older exporter have other names
and orders, and learn the same.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn
from torch.nn import functional as F

here = Path(__file__).parent
sys.path.append(str(here.parent))
from uniform import uniforms  # noqa: E402

BATCH, STEPS, CLASSES, RATE = 6, 4, 10, 0.1
IMAGES, LABELS = 31, 32
warnings.simplefilter("ignore")


class Rows(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(12, 6, 2, batch_first=True, bidirectional=True)
        self.gru = nn.GRU(12, 7, batch_first=True)
        self.rnn = nn.RNN(7, 5, nonlinearity="relu")
        self.fc = nn.Linear(5 + 12, CLASSES)

    def forward(self, x):
        rows = x[:, :, ::4, ::4].permute(0, 2, 1, 3).flatten(2)
        found, _ = self.lstm(rows)
        _, last = self.rnn(self.gru(found)[0].transpose(0, 1))
        return self.fc(torch.cat([last[-1], found[:, -1]], 1))


class Sampled(nn.Module):
    def __init__(self):
        super().__init__()
        self.place, self.conv, self.fc = nn.Linear(48, 6), nn.Conv2d(3, 8, 3), nn.Linear(8, CLASSES)
        nn.init.normal_(self.place.weight, std=0.1)
        self.place.bias.data = torch.tensor([0.9, 0.1, 0.03, -0.1, 0.9, 0.05])

    def forward(self, x):
        theta = self.place(F.adaptive_avg_pool2d(x, 4).flatten(1)).view(-1, 2, 3)
        grid = F.affine_grid(theta, x.shape, align_corners=False)
        x = F.grid_sample(x, grid, padding_mode="border", align_corners=False)
        return self.fc(F.relu(self.conv(x)).mean((2, 3)))


class Mixed(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(12, 8, 3, padding=1), nn.Conv2d(2, 6, 3)
        self.norm, self.celu, self.softsign = nn.LocalResponseNorm(5, alpha=0.5), nn.CELU(0.7), nn.Softsign()
        self.heads = nn.Parameter(torch.randn(6, 5, 2) * 0.3)
        self.fc = nn.Linear(10, CLASSES)

    def forward(self, x):
        x = self.norm(F.mish(self.first(F.pixel_unshuffle(x, 2))))
        x = self.second(self.celu(F.pixel_shuffle(x, 2)))
        x = F.lp_pool2d(torch.sinh(x) * 0.5 + 1, 2, 2)
        x = torch.einsum("nchw,cdk->ndkhw", x, self.heads).tril().sum(3).mean(-1)
        x = self.softsign(x).flatten(1)
        return self.fc(torch.atan(x) + torch.asinh(x))


class Folded(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.weigh, self.fc = nn.Conv2d(3, 4, 4, 4), nn.Linear(4, 9), nn.Linear(4, CLASSES)

    def forward(self, x):
        x = self.first(x)
        n, c, h, w = x.shape
        windows = F.unfold(x, 3, padding=1, stride=2).reshape(n, c, 9, -1)
        shares = self.weigh(F.avg_pool2d(x, 2).flatten(2).transpose(1, 2)).softmax(-1).transpose(1, 2)
        x = F.fold((windows * shares[:, None]).reshape(n, c * 9, -1), (h, w), 3, padding=1, stride=2)
        return self.fc(F.gelu(x).mean((2, 3)))


class Attended(nn.Module):
    def __init__(self, width=16, heads=4):
        super().__init__()
        self.heads = heads
        self.patches, self.norm = nn.Conv2d(3, width, 4, 4), nn.RMSNorm(width)
        self.qkv, self.out, self.up = nn.Linear(width, 3 * width), nn.Linear(width, width), nn.Linear(width, width)
        self.fc = nn.Linear(width, CLASSES)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        n, tokens, width = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(n, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        heard = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(heard.transpose(1, 2).reshape(n, tokens, width))
        return self.fc((x + F.silu(self.up(x))).mean(1))


def reference(model):
    model = model.double()
    images = torch.from_numpy(uniforms(IMAGES, (STEPS, BATCH, 3, 16, 16))).double()
    labels = torch.from_numpy(np.floor(uniforms(LABELS, (STEPS, BATCH), 0, CLASSES)).astype(np.int64))
    logits = model(images[0]).flatten().tolist()
    optimizer = torch.optim.SGD(model.parameters(), RATE)
    losses = []
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images[step]), labels[step])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return {"logits": logits, "losses": losses}


def export(model, name, opset, dynamo):
    batch = {0: torch.export.Dim("batch", min=2, max=64)} if dynamo else None
    names = {"input_names": ["images"], "output_names": ["scores"]}
    axes = {"dynamic_axes": {"images": {0: "batch"}, "scores": {0: "batch"}}}
    options = {"dynamic_shapes": (batch,), "external_data": False} if dynamo else axes
    file = str(here / f"{name}-{'dynamo' if dynamo else 'legacy'}.onnx")
    images = (torch.zeros(2, 3, 16, 16),)
    torch.onnx.export(model, images, file, opset_version=opset, dynamo=dynamo, verbose=False, **names, **options)
    plain = onnx.load(file)
    for part in (plain, plain.graph, *plain.graph.node, *plain.graph.initializer, *plain.graph.value_info):
        part.ClearField("metadata_props")  # where in which file of this machine each node came from
    onnx.save(plain, file)


for seed, (name, Model, opset, legacy) in enumerate(
    [("rows", Rows, 18, 17), ("sampled", Sampled, 20, 20), ("mixed", Mixed, 18, None), ("attended", Attended, 20, None), ("folded", Folded, 18, None)]
):
    torch.manual_seed(seed)
    model = Model().eval()
    export(model, name, opset, dynamo=True)
    if legacy:
        export(model, name, legacy, dynamo=False)
    if name == "attended":
        export(model, "attended-23", 23, dynamo=True)
    (here / f"{name}.json").write_text(json.dumps(reference(model), separators=(",", ":")) + "\n")
