"""Writes classifiers that PyTorch exported to ONNX, and what PyTorch answers and learns with the same weights.

    python3 test/golden/exported/make.py          (PyTorch 1.13, onnx 1.12)

conv.onnx          opset 13: normalisation, convolutions with batch norm, max pooling, flattening by view, dropout
vit.onnx           opset 17: patches, class token, attention, LayerNormalization, GELU
vit-default.onnx   the same network, opset 14 and default settings: LayerNorm in parts, weights transposed ahead

Each <name>.json holds the logits of a batch at inference, and for training (batch statistics, no dropout) the loss and
the gradients of one batch and the variables after three SGD steps, by their names in the file, as sketches
(../uniform.py). Images come from the shared generator; PyTorch computes in double precision.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

here = Path(__file__).parent
sys.path.append(str(here.parent))
from uniform import sketch, uniforms  # noqa: E402

BATCH, STEPS, CLASSES = 6, 3, 10
RATE, MOMENTUM = 0.05, 0.9
IMAGES, LABELS, SKETCH = 31, 32, 33


class Conv(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.4, 0.5, 0.6]).view(3, 1, 1))
        self.register_buffer("std", torch.tensor([0.2, 0.25, 0.3]).view(3, 1, 1))
        self.conv1, self.bn1 = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.conv2, self.bn2 = nn.Conv2d(8, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16)
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(256, CLASSES)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1((x - self.mean) / self.std))), 2)
        x = F.max_pool2d(F.relu(self.bn2(self.conv2(x))), 2)
        return self.fc(self.dropout(x.view(x.size(0), -1)))


class ViT(nn.Module):
    def __init__(self, width=32, heads=4):
        super().__init__()
        self.heads = heads
        self.patches = nn.Conv2d(3, width, 4, 4)
        self.token = nn.Parameter(torch.randn(1, 1, width))
        self.positions = nn.Parameter(torch.randn(1, 17, width))
        self.norm1, self.norm2, self.norm3 = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.head = nn.Linear(width, CLASSES)

    def attention(self, x):
        n, tokens, width = x.shape
        q, k, v = self.qkv(x).reshape(n, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        weights = F.softmax(q @ k.transpose(-2, -1) * (width // self.heads) ** -0.5, dim=-1)
        return self.out((weights @ v).transpose(1, 2).reshape(n, tokens, width))

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.positions
        x = x + self.attention(self.norm1(x))
        x = x + self.down(F.gelu(self.up(self.norm2(x))))
        return self.head(self.norm3(x)[:, 0])


def reference(model):
    """Answers and training in double precision, of the weights that the file holds in single."""
    model = model.double()
    images = torch.from_numpy(uniforms(IMAGES, (STEPS, BATCH, 3, 16, 16))).double()
    labels = torch.from_numpy(np.floor(uniforms(LABELS, (STEPS, BATCH), 0, CLASSES)).astype(np.int64))
    logits = model.eval()(images[0])
    model.train()
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.eval()
    optimizer = torch.optim.SGD(model.parameters(), RATE, MOMENTUM)
    losses, gradients = [], {}
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images[step]), labels[step])
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            gradients = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
        optimizer.step()
    fixed = ("tracked", "mean", "std") if isinstance(model, Conv) else ()
    trained = {
        name: tensor
        for name, tensor in model.state_dict().items()
        if not name.endswith(fixed) or name.endswith("running_mean")
    }
    summary = lambda tensor: {
        "shape": list(tensor.shape),
        "norm": tensor.norm().item(),
        "sketch": [float(f"{projection:.10g}") for projection in sketch(SKETCH, tensor.detach().numpy())],
    }
    return {
        "logits": logits.flatten().tolist(),
        "losses": losses,
        "gradients": {name: summary(tensor) for name, tensor in gradients.items()},
        "trained": {name: summary(tensor) for name, tensor in trained.items()},
    }


def export(model, name, opset, **options):
    torch.onnx.export(
        model.eval(),
        torch.zeros(2, 3, 16, 16),
        str(here / f"{name}.onnx"),
        opset_version=opset,
        input_names=["images"],
        output_names=["scores"],
        dynamic_axes={"images": {0: "batch"}, "scores": {0: "batch"}},
        **options,
    )


as_written = {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False}
torch.manual_seed(1)
conv, vit = Conv(), ViT()
with torch.no_grad():
    conv.train()(torch.rand(64, 3, 16, 16))  # running statistics off their start
export(conv, "conv", 13, **as_written)
export(vit, "vit", 17, **as_written)
export(vit, "vit-default", 14)
for name, model in (("conv", conv), ("vit", vit)):
    (here / f"{name}.json").write_text(json.dumps(reference(model), separators=(",", ":")) + "\n")
