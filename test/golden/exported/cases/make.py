"""Writes what PyTorch answers and learns with the weights of each file here.

    python3 test/golden/exported/cases/make.py          (PyTorch 2.15, onnx 1.23)

The files are as exporters write them, or as other software does:

torch-default-export   PyTorch's default export: weights in a file beside, a fixed batch of 2
float16-weights        weights and what is between images and logits in float16
local-function         a function of the file, Twice(x) = x + x
if-constant            an If whose condition is a constant
opset-12, opset-22     a linear layer
castlike               0.5, cast to the type of the images, times the images
layer-first_ln.L13     LayerNorm in parts on the images, opset 13
layer-tied.L17         a layer that is used twice
layer-pad_zero.L17     pads that the exporter reorders in the graph, opset 17
pads-computed-by-slice the same by hand: Slice with step -1, Transpose
int64-max-in-shape-arithmetic   a Slice until 2^63 - 1
convtranspose-output-shape, convtranspose-same-upper   pads that follow from the extents
resize-axes, resize-bilinear    scales of two axes, and an image enlarged by interpolation
batchnorm-2d-input     batch norm over [n, c]
batchnorm-fresh        PyTorch's default export of a batch norm that never trained: bias and mean are one tensor, so are scale and variance
pow-zero-exponent      ReLU to the powers 0, 1 and 2
threshold-in-comparison   softplus, but the identity above a threshold
fixed-batch            a fixed batch of 4, with a Reshape to [4, 5]
two-outputs            the index of the largest logit as a second output
softmax-head           probabilities
dead-node-without-rule, unused-weight    what the logits don't need
learned-input-scale    a scale of each channel of the images
fixed-table-is-trained a tensor of the file that was never learned
parameter-named-images a parameter `images`
binary-one-logit       one logit; refused, so that it has no gradients

gradients.json holds logits, loss and gradients of one batch of each, as sketches (../../uniform.py). Images and labels come from
the shared generator; PyTorch computes in double precision.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch.nn import functional as F

here = Path(__file__).parent
sys.path.append(str(here.parent.parent))
from uniform import sketch, uniforms  # noqa: E402

BATCH = 2
IMAGES, LABELS, SKETCH = 41, 42, 43


def linear(x, w):
    return x.flatten(1) @ w["w"] + w["b"]


def layer_norm(x):
    x = x.flatten(1)
    centred = x - x.mean(-1, keepdim=True)
    return centred / torch.sqrt((centred**2).mean(-1, keepdim=True) + 1e-5)


def tied(x, w):
    x = torch.tanh(F.linear(x.flatten(1), w["a.weight"], w["a.bias"]))
    x = torch.tanh(F.linear(x, w["b.weight"], w["b.bias"]))
    x = torch.tanh(F.linear(x, w["b.weight"], w["c.bias"]))
    return F.linear(x, w["h.weight"], w["h.bias"])


def enlarged(x, w):
    # [n, 3, 8, 8] -> [n, 4, 17, 18]: what 17 points reach, and a column of zeros.
    return F.pad(F.conv_transpose2d(x, w["k"], stride=2), (0, 1)).mean((2, 3)) @ w["w"] + w["b"]


def same_upper(x, w):
    # The odd pad of SAME_UPPER is at the end.
    return F.relu(F.conv_transpose2d(x, w["k"], stride=2)[:, :, :-1, :-1]).mean((2, 3)) @ w["w"] + w["b"]


def bilinear(x, w):
    maps = F.interpolate(F.conv2d(x, w["k"], padding=1), scale_factor=2, mode="bilinear", align_corners=False)
    return maps.mean((2, 3)) @ w["w"] + w["b"]


def batch_norm(x, w):
    return (linear(x, w) - w["rm"].detach()) / torch.sqrt(w["rv"].detach() + 1e-5) * w["s"] + w["b of logits"]


def named_images(x, w):
    x = torch.tanh(F.linear(x.flatten(1), w["a.weight"], w["a.bias"]) + w["images"])
    return F.linear(x, w["h.weight"], w["h.bias"])


def fresh(x, w):
    pooled = F.conv2d(x, w["c.weight"], w["c.bias"], padding=1).mean((2, 3))
    return F.linear(pooled / np.sqrt(1 + 1e-5) * w["m.2.weight"] + w["m.2.bias"], w["h.weight"], w["h.bias"])


models = {
    "torch-default-export": lambda x, w: F.linear(
        F.relu(F.conv2d(x, w["0.weight"], w["0.bias"], padding=1)).mean((2, 3)), w["5.weight"], w["5.bias"]
    ),
    "float16-weights": linear,
    "local-function": lambda x, w: 2 * linear(x, w),
    "if-constant": linear,
    "opset-12": linear,
    "opset-22": linear,
    "castlike": lambda x, w: linear(0.5 * x, w),
    "layer-first_ln.L13": lambda x, w: F.linear(
        layer_norm(x) * w["1.weight"] + w["1.bias"], w["2.weight"], w["2.bias"]
    ),
    "layer-tied.L17": tied,
    "layer-pad_zero.L17": lambda x, w: F.linear(
        F.pad(F.conv2d(x, w["0.weight"], w["0.bias"], padding=1), (1, 2, 0, 1)).mean((2, 3)), w["4.weight"], w["4.bias"]
    ),
    "pads-computed-by-slice": lambda x, w: F.pad(F.conv2d(x, w["k"], padding=1), (1, 2, 0, 1)).mean((2, 3)) @ w["w"]
    + w["b"],
    "int64-max-in-shape-arithmetic": linear,
    "convtranspose-output-shape": enlarged,
    "convtranspose-same-upper": same_upper,
    "resize-axes": lambda x, w: F.interpolate(x, scale_factor=2, mode="nearest").mean((2, 3)) @ w["w"] + w["b"],
    "resize-bilinear": bilinear,
    "batchnorm-2d-input": batch_norm,
    "batchnorm-fresh": fresh,
    "pow-zero-exponent": lambda x, w: F.relu(x @ w["w"]) ** w["e"].detach(),
    "threshold-in-comparison": lambda x, w: F.softplus(linear(x, w), threshold=w["threshold"].item()),
    "fixed-batch": linear,
    "two-outputs": linear,
    "softmax-head": linear,
    "dead-node-without-rule": linear,
    "unused-weight": linear,
    "learned-input-scale": lambda x, w: linear(x * w["scale"], w),
    "fixed-table-is-trained": lambda x, w: linear(x, w) + w["mask"].detach(),
    "parameter-named-images": named_images,
}


# What batch norm shares with a layer in the file is its own when read.
COPIES = {"batchnorm-2d-input": {"b of logits": "b"}}


def reference(name, forward):
    model = onnx.load(here / f"{name}.onnx")
    weights = {
        tensor.name: torch.tensor(numpy_helper.to_array(tensor).astype(np.float64), requires_grad=True)
        for tensor in model.graph.initializer
        if tensor.data_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)
    }
    for copy, original in COPIES.get(name, {}).items():
        weights[copy] = weights[original].detach().clone().requires_grad_()
    shape = [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim][1:]
    images = torch.from_numpy(uniforms(IMAGES, (BATCH, *shape))).double()
    logits = forward(images, weights)
    labels = torch.from_numpy(np.floor(uniforms(LABELS, (BATCH,), 0, logits.shape[1])).astype(np.int64))
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    return {
        "shape": shape,
        "logits": logits.flatten().tolist(),
        "loss": loss.item(),
        "gradients": {
            name: {
                "shape": list(weight.shape),
                "norm": weight.grad.norm().item(),
                "sketch": [float(f"{projection:.10g}") for projection in sketch(SKETCH, weight.grad.numpy())],
            }
            for name, weight in weights.items()
            if weight.grad is not None
        },
    }


references = {name: reference(name, forward) for name, forward in models.items()}
(here / "gradients.json").write_text(json.dumps(references, separators=(",", ":")) + "\n")
