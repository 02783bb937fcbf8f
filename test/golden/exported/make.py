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
sys.path.append(str(here))
from networks import CLASSES, Conv, ViT  # noqa: E402
from uniform import sketch, uniforms  # noqa: E402

BATCH, STEPS = 6, 3
RATE, MOMENTUM = 0.05, 0.9
IMAGES, LABELS, SKETCH = 31, 32, 33


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
