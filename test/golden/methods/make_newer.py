"""Writes amun.json, delete.json, lotus.json, munba.json, negmerge.json and sfr-on.json: what PyTorch makes of these methods.

    python3 test/golden/methods/make_newer.py          (PyTorch 2.15, numpy)

Network, images and weights are those of make.py. D_f is images 0 to 9, D_r images 10 to 19, and a batch is all that a pass goes
over, so no order is left to chance; what would be drawn at random has a case where it isn't. PyTorch computes in double
precision and keeps nine digits.
"""

import json
import math
from pathlib import Path

import make
import torch
from make import CLASSES, COUNT, descend, flat, labels, original, pixels, tensors
from torch.nn import functional as F

here = Path(__file__).parent
forget, retain = torch.arange(0, 10), torch.arange(10, COUNT)
BATCH = {"batchSize": 10, "learningRate": 0.1, "momentum": 0.9, "weightDecay": 0.05}


def sgd(model, params, **given):
    params = params | given
    rates = {"lr": params["learningRate"], "momentum": params["momentum"], "weight_decay": params["weightDecay"]}
    return torch.optim.SGD(model.parameters(), **rates)


def accuracy(model, items):
    model.eval()
    with torch.no_grad():
        return (model(pixels[items]).argmax(1) == labels[items]).double().mean().item()


def delete(params):
    student, teacher = original(), original().eval()
    student.train(params["batchNorm"] == "batch")
    optimizer = sgd(student, params)
    trace = []
    with torch.no_grad():
        others = teacher(pixels[forget]).masked_fill(F.one_hot(labels[forget], CLASSES).bool(), -math.inf).softmax(1)
    for _ in range(params["epochs"]):
        answers = F.log_softmax(student(pixels[forget]), 1)
        trace.append(descend(student, optimizer, F.kl_div(answers, others, reduction="batchmean")))
    return {"params": params, "trace": trace[-1:]}


def amun(params):
    model = original().eval()
    images, truth = pixels[forget].clone(), labels[forget]
    found, moved, radius, step = images.clone(), 0, params["radius"], 0
    wrong = torch.zeros(len(forget), dtype=torch.bool)
    while not wrong.all():
        found.requires_grad_()
        answers = model(found)
        wrong |= answers.argmax(1) != truth
        slope = torch.autograd.grad(F.cross_entropy(answers, truth, reduction="sum"), found)[0]
        length = slope.flatten(1).norm(dim=1) + 1e-10
        rate = radius * params["stepShare"] / length
        change = found.detach() + rate.view(-1, 1, 1, 1) * slope - images
        shrunk = (radius / change.flatten(1).norm(dim=1)).clamp(max=1)
        ahead = (images + change * shrunk.view(-1, 1, 1, 1)).clamp(0, 1)
        found = torch.where(wrong.view(-1, 1, 1, 1), found.detach(), ahead)
        moved += (~wrong).sum().item()
        step += 1
        radius = params["radius"] * 2 ** (step // params["attackSteps"])
    with torch.no_grad():
        answers = model(found).argmax(1)
    beside = {"all": torch.cat([retain, forget]), "retain": retain, "forget": forget, "nothing": forget[:0]}
    items = beside[params["beside"]]
    batch, wanted = torch.cat([pixels[items], found]), torch.cat([labels[items], answers])
    print(f"amun: {moved} steps, last radius {radius:.2f}, {(found - images).flatten(1).norm(dim=1).min():.1e} moved least")
    model.train()
    optimizer = sgd(model, params)
    trace = []
    for epoch in range(params["epochs"]):
        rate = params["learningRate"] * params["decay"] ** (epoch // params["decayEvery"])
        optimizer.param_groups[0]["lr"] = rate
        trace.append(descend(model, optimizer, F.cross_entropy(model(batch), wanted)))
    return {"params": params, "trace": trace}


def munba(params):
    """As it is read in the released code, with a solution of the same equations that can't fail beside it."""
    model = original().train()
    optimizer = sgd(model, params)
    trace = []
    for _ in range(params["epochs"]):
        # Running statistics move first by D_f, as the terms stand.
        unlearn = -F.cross_entropy(model(pixels[forget]), labels[forget])
        preserve = F.cross_entropy(model(pixels[retain]), labels[retain])
        grads = [
            torch.cat([g.flatten() for g in torch.autograd.grad(loss, [*model.parameters()], retain_graph=True)])
            for loss in (preserve, unlearn)
        ]
        (g1, g2), (_, g3) = [[torch.dot(a, b) for b in grads] for a in grads]
        if params["solution"] == "exact":
            # G α = 1/α, by bisection on the ratio of its two sides.
            low, high = -40.0, 40.0
            for _ in range(200):
                ratio = math.exp((low + high) / 2)
                first, second = g1 + g2 * ratio, g2 * ratio + g3 * ratio**2
                low, high = ((low + high) / 2, high) if second < first else (low, (low + high) / 2)
            a = 1 / (g1 + g2 * ratio) ** 0.5
            b = ratio * a
        else:
            a = ((g1 * g3 - g2 * (g1 * g3) ** 0.5) / (g1 * g1 * g3 - g1 * g2 * g2 + 1e-8)) ** 0.5
            b = (1 - g1 * a * a) / (g2 * a + 1e-8)
            if not (a > 0 and b > 0):
                a, b = 1.0, 0.1
        print(f"munba: cosine {(g2 / (g1 * g3) ** 0.5).item():.3f}, shares {float(a):.4f} and {float(b):.4f}")
        optimizer.zero_grad()
        (a * preserve + b * unlearn).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), params["clipNorm"])
        optimizer.step()
        trace.append({"loss": (preserve + unlearn).item(), "state": flat(tensors(model))})
    return {"params": params, "trace": trace}


def sfr_on(params):
    model = original().eval()

    def fisher(items):
        loss = F.cross_entropy(model(pixels[items]), labels[items])
        return [g**2 for g in torch.autograd.grad(loss, [*model.parameters()])]

    ratios = [(f + 1e-15) / (r + 1e-15) for f, r in zip(fisher(forget), fisher(retain))]
    masks = [ratio >= params["threshold"] for ratio in ratios]
    print(f"sfr-on: {sum(m.sum().item() for m in masks)} of {sum(m.numel() for m in masks)} weights move for D_f")
    model.train()
    optimizer = sgd(model, params)
    trace = []
    for step in range(params["steps"]):
        falling = (1 + math.cos(math.pi * step / params["steps"])) / 2
        optimizer.param_groups[0]["lr"] = params["learningRate"] * falling
        each = F.cross_entropy(model(pixels[forget]), labels[forget], reduction="none")
        share = 1 / (each.detach() ** params["lambda"] + 1e-15)
        loss = (share / share.sum() * each * len(each)).mean()
        optimizer.zero_grad()
        (-params["alpha"] * falling * loss).backward()
        for parameter, mask in zip(model.parameters(), masks):
            parameter.grad *= mask
        torch.nn.utils.clip_grad_norm_(model.parameters(), params["clipNorm"])
        optimizer.step()
        trace.append({"loss": -loss.item(), "state": flat(tensors(model))})
        trace.append(descend(model, optimizer, F.cross_entropy(model(pixels[retain]), labels[retain])))
    return {"params": params, "trace": trace}


def lotus(params):
    student, teacher = original(), original().eval()
    optimizer = torch.optim.AdamW(student.parameters(), lr=params["learningRate"], weight_decay=params["weightDecay"])
    items = torch.cat([forget, retain])
    forgets = (items < len(forget)).double()
    with torch.no_grad():
        taught = teacher(pixels[items])
    trace = []
    for _ in range(params["epochs"]):
        above = accuracy(student, forget) - params["unseen"]
        if above <= -0.01:
            break
        smooth = F.softmax(taught / math.exp(params["alpha"] * above), 1)
        sharp = F.one_hot(taught.argmax(1), CLASSES)
        target = forgets[:, None] * smooth + (1 - forgets[:, None]) * sharp
        student.train()
        loss = -(target * F.log_softmax(student(pixels[items]), 1)).sum(1).mean()
        trace.append(descend(student, optimizer, loss))
        print(f"lotus: accuracy {above + params['unseen']:.1f} on D_f")
    return {"params": params, "trace": trace}


def negmerge(params):
    start = original()
    changes = []
    for rate in params["learningRates"]:
        for decay in params["weightDecays"]:
            model = original().train()
            optimizer = sgd(model, params, learningRate=rate, weightDecay=decay)
            for _ in range(params["epochs"]):
                descend(model, optimizer, F.cross_entropy(model(pixels[forget]), labels[forget]))
                changes.append([p.detach() - q.detach() for p, q in zip(model.parameters(), start.parameters())])
    stacked = [torch.stack(parts) for parts in zip(*changes)]
    agreed = [parts.sign().sum(0).abs() == len(changes) for parts in stacked]
    print(f"negmerge: {sum(a.sum().item() for a in agreed)} of {sum(a.numel() for a in agreed)} changes have one sign")
    merged = [parts.mean(0) * (a if params["merge"] == "consensus" else 1) for parts, a in zip(stacked, agreed)]

    def without(scale):
        model = original()
        with torch.no_grad():
            for parameter, change in zip(model.parameters(), merged):
                parameter -= scale * change
        return model

    if params["choose"] == "given":
        return {"params": params, "state": flat(tensors(without(params["scale"])))}
    least = params["kept"] * accuracy(start, retain)
    tried = [(step / 20, without(step / 20)) for step in range(21)]
    kept = [(accuracy(model, forget), scale) for scale, model in tried if scale == 0 or accuracy(model, retain) >= least]
    best = min(kept)[1]
    print(f"negmerge: scale {best}")
    return {"params": params, "state": flat(tensors(without(best)))}


ATTACK = {"radius": 0.05, "attackSteps": 5, "stepShare": 0.2, "decay": 0.5, "decayEvery": 1}
MERGE = {"batchSize": 10, "momentum": 0.9, "epochs": 2, "learningRates": [0.1, 0.05], "weightDecays": [0, 0.01]}
TURNS = {**BATCH, "steps": 2, "forgetEvery": 1, "threshold": 1.0, "alpha": 5.0}
cases = {
    "amun": [
        amun({**BATCH, **ATTACK, "batchSize": 30, "epochs": 2, "beside": "all"}),
        amun({**BATCH, **ATTACK, "batchSize": 20, "epochs": 1, "beside": "retain"}),
        amun({**BATCH, **ATTACK, "epochs": 1, "beside": "nothing"}),
    ],
    "delete": [delete({**BATCH, "epochs": 1 + (how == "running"), "batchNorm": how}) for how in ("batch", "running")],
    "lotus": [
        lotus(
            {"batchSize": 20, "learningRate": 0.01, "weightDecay": 0.1, "epochs": 2, "alpha": 3.0, "unseen": 0.1}
            | {"retainShare": 1, "noise": "none"}
        )
    ],
    "munba": [
        munba({**BATCH, "epochs": 2, "forgetting": "ascent", "solution": how, "clipNorm": clip})
        for how, clip in (("released", 1.0), ("exact", 100.0))
    ],
    "negmerge": [
        negmerge({**MERGE, "merge": "consensus", "choose": "given", "scale": 0.7}),
        negmerge({**MERGE, "merge": "mean", "choose": "given", "scale": 0.3}),
        negmerge({**MERGE, "learningRates": [0.3, 0.1], "merge": "consensus", "choose": "search", "kept": 0.65}),
    ],
    "sfr-on": [
        sfr_on({**TURNS, "lambda": 0.5, "clipNorm": 0.3}),
        sfr_on({**TURNS, "lambda": 0, "clipNorm": 100.0}),
    ],
}
for name, found in cases.items():
    (here / f"{name}.json").write_text(json.dumps(found, separators=(",", ":")) + "\n")
print(f"nearest input of a ReLU to 0: {make.nearest:.1e}")
