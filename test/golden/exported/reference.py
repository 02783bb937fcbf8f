"""What PyTorch answers and learns, for every tensor of an exported file that can train.

An exporter keeps a parameter under its name, transposes it, merges it with the batch norm that follows, or computes what
depends on parameters alone (a bias gathered from a table, a standardised weight). So the forward pass is watched: gradients
are kept of every tensor that comes of parameters and not of the images, and of what a convolution and its batch norm would
merge to. A tensor of the file is found among them by its content.
"""

import sys
from itertools import permutations
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

sys.path.append(str(Path(__file__).parent.parent))
from uniform import sketch, uniforms  # noqa: E402

from architectures import CLASSES  # noqa: E402

BATCH = 8
IMAGES, LABELS, SKETCH = 31, 32, 33
NORMS = torch.nn.modules.batchnorm._BatchNorm


class Watch(TorchFunctionMode):
    """Notes what is made of parameters alone, and each product that a batch norm with fixed statistics takes up."""

    def __init__(self, images):
        super().__init__()
        self.depends = {id(images): images}
        self.products, self.merged, self.derived = {}, [], {}

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        result = function(*args, **kwargs)
        tensors = [part for arg in (*args, *kwargs.values()) for part in (arg if isinstance(arg, (list, tuple)) else [arg])]
        tensors = [part for part in tensors if isinstance(part, torch.Tensor)]
        outputs = [part for part in (result if isinstance(result, (list, tuple)) else [result]) if isinstance(part, torch.Tensor)]
        if any(id(tensor) in self.depends for tensor in tensors):
            self.depends.update((id(output), output) for output in outputs)
        else:
            for output in outputs:
                if output.requires_grad and output.is_floating_point() and not output.is_leaf:
                    output.retain_grad()
                    self.derived[id(output)] = output
        if function in (F.linear, torch.conv1d, torch.conv2d, torch.conv3d):
            given = dict(zip(("input", "weight", "bias"), args)) | kwargs
            self.products[id(result)] = (given["weight"], given.get("bias"))
        if function is F.batch_norm and not (args[5] if len(args) > 5 else kwargs.get("training", False)):
            self.meet(*args, **kwargs)
        return result

    def meet(self, x, mean, variance, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
        if id(x) in self.products:
            self.merged.append((*self.products[id(x)], mean, variance, weight, bias, eps))


def recurrent_tensors(model, numpy):
    """Weights and biases of recurrent layers as ONNX has them: gates in its order, biases of input and state in a row, directions
    below."""
    found = []
    for layer in model.modules():
        if not isinstance(layer, (torch.nn.LSTM, torch.nn.GRU)):
            continue
        order = [0, 3, 1, 2] if isinstance(layer, torch.nn.LSTM) else [1, 0, 2]
        gates = lambda tensor: tensor.reshape(len(order), -1)[order].ravel()
        for number in range(layer.num_layers):
            suffixes = ("", "_reverse")[: 1 + layer.bidirectional]
            for names in (["bias_ih", "bias_hh"], ["weight_ih"], ["weight_hh"]):
                directions = []
                for suffix in suffixes:
                    own = [getattr(layer, f"{name}_l{number}{suffix}") for name in names]
                    sides = own, [parameter.grad for parameter in own]
                    directions.append([np.concatenate([gates(numpy(tensor)) for tensor in side]) for side in sides])
                found += [("derived", value, gradient) for value, gradient in directions]
                found.append(("derived", *(np.concatenate(side) for side in zip(*directions))))
    return found


def randomize(model, side):
    """Takes a fresh model to where nothing is equal by chance: learned constants vary, and running statistics fit.

    Biases of batch norm go up by two, where most activations are straight. Random networks with batch norm amplify rounding by
    the layer; so the gradients of densenet121 differ between single and double precision by 3e-5 in place of 3e-2.
    """
    with torch.no_grad():
        for index, parameter in enumerate(model.parameters()):
            if parameter.numel() > 0 and parameter.min() == parameter.max():
                parameter += torch.from_numpy(uniforms(1000 + index, tuple(parameter.shape), -0.1, 0.1))
        norms = [module for module in model.modules() if isinstance(module, NORMS)]
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.train().momentum = 1.0
            if norm.affine:
                norm.bias += 2
        model(torch.from_numpy(uniforms(IMAGES + 10, (BATCH, 3, side, side))))
        for norm, momentum in zip(norms, momenta):
            norm.eval().momentum = momentum


def batch(side, dtype):
    images = torch.from_numpy(uniforms(IMAGES, (BATCH, 3, side, side))).to(dtype)
    labels = torch.from_numpy(np.floor(uniforms(LABELS, (BATCH,), 0, CLASSES)).astype(np.int64))
    return images, labels


def learn(model, side, dtype, statistics):
    """Loss, logits, and pairs of tensor and gradient; batch norm by statistics of the batch or running ones, dropout off."""
    model = model.to(dtype).eval()
    for module in model.modules():
        if isinstance(module, NORMS):
            module.train(statistics == "batch")
    kept = {name: buffer.clone() for name, buffer in model.named_buffers()}
    model.zero_grad()
    images, labels = batch(side, dtype)
    with Watch(images) as watch:
        logits = model(images)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    numpy = lambda tensor: tensor.detach().cpu().numpy().copy()
    named = [(name, numpy(p), numpy(p.grad)) for name, p in model.named_parameters() if p.grad is not None]
    derived = [("derived", numpy(t), numpy(t.grad)) for t in watch.derived.values() if t.grad is not None]
    derived += recurrent_tensors(model, numpy)
    for weight, bias, mean, variance, gamma, beta, eps in watch.merged:
        if gamma is None or weight.grad is None or gamma.grad is None:
            continue
        factor = numpy(gamma) / np.sqrt(numpy(variance) + eps)
        rows = factor.reshape(-1, *[1] * (weight.dim() - 1))
        derived.append(("merged", numpy(weight) * rows, numpy(weight.grad) / rows))
        before = 0 if bias is None else numpy(bias)
        derived.append(("merged", numpy(beta) + (before - numpy(mean)) * factor, numpy(beta.grad)))
    for name, buffer in model.named_buffers():
        buffer.data.copy_(kept[name])
    return loss.item(), numpy(logits), named, derived


def laid_as(content, tensor):
    """The order of axes in which `tensor` is `content`, maybe of another shape; None where it isn't."""
    same = lambda laid: np.allclose(laid.ravel(), content.ravel(), rtol=1e-3, atol=1e-6 * (1 + np.abs(content).max()))
    if same(tensor):
        return list(range(tensor.ndim))
    wide = [axis for axis in range(tensor.ndim) if tensor.shape[axis] > 1]
    if not 2 <= len(wide) <= 4:
        return None
    narrow = [axis for axis in range(tensor.ndim) if tensor.shape[axis] == 1]
    for order in permutations(wide):
        if same(np.transpose(tensor, [*narrow, *order])):
            return [*narrow, *order]
    return None


class Matcher:
    """Finds tensors of a file among those that PyTorch learned."""

    def __init__(self, learned):
        self.entries = [entry for entry in learned if entry[1].size > 0]
        self.by_size = {}
        for entry in self.entries:
            self.by_size.setdefault(entry[1].size, []).append((float((entry[1].astype(np.float64) ** 2).sum()), entry))

    def find(self, name, content, only=None):
        """(origin, gradient laid out as in the file), or None; of the origin `only` where one is given."""
        energy = float((content.astype(np.float64) ** 2).sum())
        close = [entry for own, entry in self.by_size.get(content.size, []) if abs(own - energy) <= 1e-4 * (energy + 1e-12)]
        for origin, tensor, gradient in sorted(close, key=lambda entry: entry[0] != name):
            if only and origin != only:
                continue
            order = laid_as(content, tensor)
            if order is not None:
                return origin, np.transpose(gradient, order).reshape(content.shape)
        return None


def summary(gradient):
    return {
        "norm": float(f"{np.linalg.norm(gradient.astype(np.float64)):.8g}"),
        "sketch": [float(f"{projection:.8g}") for projection in sketch(SKETCH, gradient)],
    }
