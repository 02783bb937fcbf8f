"""Writes neggrad-plus.json, scrub.json and ssd.json: what PyTorch makes of the first steps of these methods.

    python3 test/golden/methods/make.py          (PyTorch 2.15, numpy)

The network is small-cnn of width 2 with 4 hidden units on 8x8 images of 3 classes. Its weights and running statistics, and
the images, come from ../uniform.py. D_f is images 0 to 7, D_r images 8 to 19; in training a batch is all of one of them, so
no order is left to chance. PyTorch computes in double precision and keeps nine digits. A state is all parameters, then all
buffers, end to end; importances are those of the parameters. The script prints how near to 0 an input of a ReLU comes:
within single-precision rounding (1e-6) the other branch wouldn't be wrong.
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
from uniform import uniforms  # noqa: E402

torch.set_default_dtype(torch.float64)
IMAGES, LABELS, FIRST_TENSOR = 1, 2, 10  # streams; tensor number i has stream FIRST_TENSOR + i
COUNT, CLASSES, WIDTH, HIDDEN = 20, 3, 2, 4
pixels = torch.from_numpy(np.floor(uniforms(IMAGES, (COUNT, 1, 8, 8), 0, 256)).astype(np.float64) / 255)
labels = torch.from_numpy(np.floor(uniforms(LABELS, (COUNT,), 0, CLASSES)).astype(np.int64))
forget, retain = torch.arange(0, 8), torch.arange(8, COUNT)
nearest = float("inf")


def relu(x):
    global nearest
    nearest = min(nearest, x.detach().abs().min().item())
    return F.relu(x)


class SmallCnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, WIDTH, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTH)
        self.conv2 = nn.Conv2d(WIDTH, 2 * WIDTH, 3, 2, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(2 * WIDTH)
        self.conv3 = nn.Conv2d(2 * WIDTH, 2 * WIDTH, 3, 1, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(2 * WIDTH)
        self.fc1 = nn.Linear(2 * WIDTH * 4, HIDDEN)
        self.fc2 = nn.Linear(HIDDEN, CLASSES)

    def forward(self, x):
        x = (x - 0.5) / 0.25
        for conv, bn in [(self.conv1, self.bn1), (self.conv2, self.bn2), (self.conv3, self.bn3)]:
            x = relu(bn(conv(x)))
        return self.fc2(relu(self.fc1(x.flatten(1))))


def tensors(model):
    return [*model.parameters(), *(buffer for buffer in model.buffers() if buffer.is_floating_point())]


def original():
    """Weights in [-0.6, 0.6), running means in [-0.3, 0.3), scales and running variances in [0.5, 1.5)."""
    model = SmallCnn()
    names = {id(tensor): name for name, tensor in [*model.named_parameters(), *model.named_buffers()]}
    with torch.no_grad():
        for i, tensor in enumerate(tensors(model)):
            name = names[id(tensor)]
            positive = name.endswith("running_var") or (name.startswith("bn") and name.endswith("weight"))
            low, high = (0.5, 1.5) if positive else (-0.3, 0.3) if name.endswith("running_mean") else (-0.6, 0.6)
            tensor.copy_(torch.from_numpy(uniforms(FIRST_TENSOR + i, tuple(tensor.shape), low, high).astype(np.float64)))
    return model


def flat(values):
    return [float(f"{value:.9g}") for value in torch.cat([value.detach().flatten() for value in values]).tolist()]


def descend(model, optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return {"loss": loss.item(), "state": flat(tensors(model))}


def neggrad_plus(params):
    """Steps over all of D_r and all of D_f."""
    model, start = original(), original()
    model.train(params["batchNorm"] == "batch")
    beta = params["beta"]
    optimizer = torch.optim.SGD(model.parameters(), lr=params["learningRate"])
    for _ in range(params["epochs"]):
        fit, unfit = (F.cross_entropy(model(pixels[items]), labels[items]) for items in (retain, forget))
        loss = beta * fit - (1 - beta) * unfit
        pull = sum(((p - p0.detach()) ** 2).sum() for p, p0 in zip(model.parameters(), start.parameters()))
        step = descend(model, optimizer, loss + beta * params["pull"] / 2 * pull)
        step["loss"] = loss.item()
    return {"params": params, "trace": [step]}


def scrub(params):
    """A max step on D_f, a min step on D_r, and in the second epoch a min step at another rate."""
    student, teacher = original().train(), original().eval()
    T = params["temperature"]
    optimizer = torch.optim.SGD(
        student.parameters(), lr=params["learningRate"], momentum=params["momentum"], weight_decay=params["weightDecay"]
    )

    def divergence(items, answers):
        with torch.no_grad():
            taught = F.softmax(teacher(pixels[items]) / T, dim=1)
        return T**2 * F.kl_div(F.log_softmax(answers / T, dim=1), taught, reduction="batchmean")

    trace = [descend(student, optimizer, -divergence(forget, student(pixels[forget])))]
    for rate in [params["learningRate"], params["learningRate"] * params["decay"]]:
        optimizer.param_groups[0]["lr"] = rate
        answers = student(pixels[retain])
        loss = params["alpha"] * divergence(retain, answers) + params["gamma"] * F.cross_entropy(answers, labels[retain])
        trace.append(descend(student, optimizer, loss))
    return {"params": params, "trace": trace}


def ssd(params):
    model = original().eval()

    def importance(items):
        squares = []
        for batch in items.split(params["batchSize"]):
            loss = F.cross_entropy(model(pixels[batch]), labels[batch])
            squares.append([gradient**2 for gradient in torch.autograd.grad(loss, [*model.parameters()])])
        return [torch.stack(parts).mean(0) for parts in zip(*squares)]

    in_forget, in_all = importance(forget), importance(torch.cat([retain, forget]))
    kept = bounded = 0
    with torch.no_grad():
        for weight, f, d in zip(model.parameters(), in_forget, in_all):
            chosen = f > params["alpha"] * d
            factor = (params["lambda"] * d / f).clamp(max=1)
            weight.copy_(torch.where(chosen, weight * factor, weight))
            kept += (~chosen).sum().item()
            bounded += (chosen & (factor == 1)).sum().item()
    print(f"ssd, batches of {params['batchSize']}: {kept} weights are not chosen, {bounded} are bounded by 1")
    return {"params": params, "importances": [flat(in_forget), flat(in_all)], "state": flat(tensors(model))}


if __name__ == "__main__":
    STEP = {"learningRate": 0.1, "batchSize": 12, "forgetBatchSize": 8}
    cases = {
        "neggrad-plus": [
            neggrad_plus({**STEP, "epochs": 1, "beta": 0.8, "batchNorm": "batch", "pull": 0}),
            neggrad_plus({**STEP, "epochs": 2, "beta": 0.95, "batchNorm": "running", "pull": 0.5}),
        ],
        "scrub": [
            scrub(
                {**STEP, "epochs": 2, "maxSteps": 1, "decayAfter": [1], "decay": 0.5, "momentum": 0.9, "weightDecay": 0.05}
                | {"temperature": 4, "alpha": 0.5, "gamma": 0.9}
            ),
        ],
        "ssd": [ssd({"batchSize": size, "alpha": 0.8, "lambda": 1.1}) for size in (1, 6)],
    }
    for name, found in cases.items():
        (here / f"{name}.json").write_text(json.dumps(found, separators=(",", ":")) + "\n")
    print(f"nearest input of a ReLU to 0: {nearest:.1e}")
