"""Writes classifiers that PyTorch exported by default: for one batch size, with equal tensors merged and transposed ahead.

    python3 test/golden/exported/fixed/make.py          (PyTorch 2.15, onnx 1.23, onnxscript)

<name>-1.onnx and <name>-3.onnx were exported with a batch of 1 and of 3:

vit         the network and the weights of ../vit.onnx
encoder     an encoder with the batch on the second axis, so that it merges with heads and with tokens
strided     pooling whose result PyTorch lays out again by indices over the whole batch
recurrent   channels shuffled, LSTM and GRU with states of the batch's size
merged      batch norm behind a convolution, which is merged, and before one, which is left
"""

import sys
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import nn

here = Path(__file__).parent
sys.path.append(str(here.parent))
from networks import CLASSES, ViT  # noqa: E402


class Encoder(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.patches = nn.Conv2d(3, width, 4, 4)
        self.layer = nn.TransformerEncoderLayer(width, 2, 16, batch_first=False)
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x):
        x = self.patches(x).flatten(2).permute(2, 0, 1)  # [tokens, batch, width]
        return self.head(self.layer(x).mean(0))


class Strided(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, width, 4, 4), nn.LayerNorm(width)
        self.head = nn.Linear(width, CLASSES)

    def forward(self, x):
        x = self.conv(x).mean((2, 3), keepdim=True)
        x = x.as_strided((x.shape[0], x.shape[1], 1, 1), (x.shape[1], 1, x.shape[1], x.shape[1]))
        return self.head(self.norm(x.permute(0, 2, 3, 1)).flatten(1))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 4, 4)
        self.lstm = nn.LSTM(8, 6, batch_first=True, bidirectional=True)
        self.gru = nn.GRU(12, 5, batch_first=True)
        self.head = nn.Linear(5, CLASSES)

    def forward(self, x):
        n = x.shape[0]
        x = self.conv(x).view(n, 2, 4, 4, 4).transpose(1, 2).reshape(n, 8, 16)
        x, _ = self.lstm(x.transpose(1, 2))
        x, _ = self.gru(x)
        return self.head(x[:, -1])


class Merged(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 8, 4, 4, bias=False), nn.BatchNorm2d(8)
        self.bn2, self.conv2 = nn.BatchNorm2d(8), nn.Conv2d(8, 8, 3, padding=1)
        self.head = nn.Linear(8, CLASSES)

    def forward(self, x):
        x = torch.relu(self.bn1(self.conv1(x)))
        return self.head(self.conv2(torch.relu(self.bn2(x))).mean((2, 3)))


torch.manual_seed(1)
models = {"vit": ViT(), "encoder": Encoder(), "strided": Strided(), "recurrent": Recurrent(), "merged": Merged()}
weights = onnx.load(here.parent / "vit.onnx").graph.initializer
names = set(models["vit"].state_dict())
models["vit"].load_state_dict(
    {tensor.name: torch.tensor(numpy_helper.to_array(tensor)) for tensor in weights if tensor.name in names},
    strict=False,  # the file has the scales and biases of equal norms once
)
models["merged"].train()(torch.rand(64, 3, 16, 16))  # running statistics off their start
for name, model in models.items():
    for batch in (1, 3):
        path = here / f"{name}-{batch}.onnx"
        torch.onnx.export(model.eval(), (torch.zeros(batch, 3, 16, 16),), str(path), external_data=False)
        model_file = onnx.load(path)
        for node in model_file.graph.node:
            del node.metadata_props[:]  # paths of the machine
        del model_file.graph.value_info[:]
        del model_file.graph.metadata_props[:]
        del model_file.metadata_props[:]
        onnx.save(model_file, path)
