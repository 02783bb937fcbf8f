"""Exports 76 classifiers of torchvision and timm as people do, and writes beside each what PyTorch answers and learns.

    python3 test/golden/exported/corpus.py FOLDER [NAME...]      (PyTorch 2.15.0, torchvision 0.29.2, timm 1.0.31, onnx 1.23.2)

Ways: `legacy`, the older exporter with training=PRESERVE, no folding and a dynamic batch, opset 17; `fixed`, torch.onnx.export
as it comes, for a batch of one; `dynamic`, the same with a dynamic batch. FOLDER gets <name>.<way>.onnx, for the last two with
the weights beside, and <name>.json. What is there is kept, so the script goes on where it was stopped. Each model is exported in
a process of its own; it takes an hour and 10 GB. corpus.ts reads the folder.

Gradients are those of the cross-entropy of one batch from the shared generator, in double precision, dropout off, as sketches
(../uniform.py), by the names of tensors in the file: `batch` with statistics of the batch in batch norm, `running` with running
ones where the exporter merged some batch norm into weights. `single` is the largest relative error of PyTorch's own single
precision.
"""

import gc
import json
import multiprocessing
import sys
import time
import traceback
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import onnx
import timm
import torch
import torchvision
from onnx import numpy_helper

from architectures import CLASSES, MODELS
from reference import NORMS, Matcher, learn, randomize, summary

SECONDS = 900
STATISTICS = ("batch", "running")
SMALLEST = 1e-2


def export(model, side, way, path):
    example = lambda count: torch.rand(count, 3, side, side)
    if way == "legacy":
        torch.onnx.export(
            model,
            example(2),
            str(path),
            dynamo=False,
            opset_version=17,
            training=torch.onnx.TrainingMode.PRESERVE,
            do_constant_folding=False,
            input_names=["images"],
            output_names=["scores"],
            dynamic_axes={"images": {0: "batch"}, "scores": {0: "batch"}},
        )
    elif way == "fixed":
        torch.onnx.export(model, (example(1),), str(path))
    else:
        torch.onnx.export(model, (example(2),), str(path), dynamic_shapes=({0: torch.export.Dim("batch")},))


def contents(path):
    """Opset of a file, whether it has batch norm, and its float tensors by name."""
    model = onnx.load(str(path))
    floating = (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16)
    constants = [
        (node.output[0], attribute.t)
        for node in model.graph.node
        if node.op_type == "Constant"
        for attribute in node.attribute
        if attribute.name == "value"
    ]
    tensors = [(tensor.name, tensor) for tensor in model.graph.initializer] + constants
    keeps = any(node.op_type == "BatchNormalization" for node in model.graph.node)
    return model.opset_import[0].version, keeps, {
        name: numpy_helper.to_array(tensor) for name, tensor in tensors if tensor.data_type in floating
    }


def described(path, matchers, summaries):
    """Gradients of the tensors of a file that come of learned ones, and the parameters that none of them comes of."""
    opset, keeps, tensors = contents(path)
    found, origins = {}, set()
    merges = any(matchers["running"].find(name, content, "merged") for name, content in tensors.items())
    useful = [statistics for statistics in STATISTICS if (keeps or not merges if statistics == "batch" else merges)]
    for name, content in tensors.items():
        entry = {}
        for statistics in useful:
            match = matchers[statistics].find(name, content)
            if match:
                origin, gradient = match
                key = (gradient.shape, hash(gradient.tobytes()))
                if key not in summaries:
                    summaries[key] = summary(gradient)
                entry[statistics] = summaries[key]
                entry["from"] = origin
        if entry:
            found[name] = entry
            origins.add(entry["from"])
    named = {origin for origin, _, _ in matchers["batch"].entries} - {"derived", "merged"}
    return {"opset": opset, "tensors": found, "elsewhere": sorted(named - origins)}


def single_error(exact, rough):
    """The largest relative error of a tensor's gradient in single precision."""
    rough = {name: gradient for name, _, gradient in rough}
    return max(np.linalg.norm(g - rough[name]) / max(np.linalg.norm(g), SMALLEST) for name, _, g in exact)


def make(folder, name):
    build, side = MODELS[name]
    torch.manual_seed(1)
    model = build().eval()
    randomize(model, side)
    begun, ways = time.time(), {}
    # The older exporter comes last: after it, the newer one fails for some.
    for way in ("fixed", "dynamic", "legacy"):
        path, start = folder / f"{name}.{way}.onnx", time.time()
        try:
            export(model, side, way, path)
            ways[way] = {"seconds": round(time.time() - start, 1)}
        except Exception as error:  # noqa: BLE001
            ways[way] = {"error": f"{type(error).__name__}: {str(error).strip().splitlines()[0][:300]}"}
        gc.collect()
    matchers, single, logits, losses = {}, {}, [], {}
    normalizes = any(isinstance(module, NORMS) for module in model.modules())
    for statistics in reversed(STATISTICS):
        if statistics == "batch" and not normalizes:
            losses["batch"], single["batch"], matchers["batch"] = losses["running"], single["running"], matchers["running"]
            continue
        _, _, rough, _ = learn(model, side, torch.float32, statistics)
        losses[statistics], answers, named, derived = learn(model, side, torch.float64, statistics)
        single[statistics] = float(f"{single_error(named, rough):.3g}")
        matchers[statistics] = Matcher(named + derived)
        if statistics == "running":
            logits = [float(f"{value:.9g}") for value in answers.ravel()]
        model.to(torch.float32)
    summaries = {}
    for way, entry in ways.items():
        if "error" not in entry:
            entry.update(described(folder / f"{name}.{way}.onnx", matchers, summaries))
    parameters = sum(parameter.numel() for parameter in model.parameters())
    result = {
        "name": name,
        "from": type(model).__module__.split(".")[0],
        "side": side,
        "classes": CLASSES,
        "parameters": parameters,
        "made": f"PyTorch {torch.__version__.split('+')[0]}, torchvision {torchvision.__version__.split('+')[0]}, "
        f"timm {timm.__version__}, onnx {onnx.__version__}",
        "logits": logits,
        "losses": losses,
        "single": single,
        "ways": ways,
    }
    (folder / f"{name}.json").write_text(json.dumps(result, separators=(",", ":")) + "\n")
    return time.time() - begun


def make_quietly(folder, name):
    warnings.filterwarnings("ignore")
    with open(folder / f"{name}.log", "w") as log, redirect_stdout(log), redirect_stderr(log):
        try:
            print(f"{make(folder, name):.0f} s")
        except Exception:  # noqa: BLE001
            traceback.print_exc()


if __name__ == "__main__":
    folder, names = Path(sys.argv[1]), sys.argv[2:] or list(MODELS)
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for name in names:
        done = folder / f"{name}.json"
        if done.exists():
            continue
        process = multiprocessing.get_context("fork").Process(target=make_quietly, args=(folder, name))
        process.start()
        process.join(SECONDS)
        if process.is_alive():
            process.terminate()
            process.join()
        print(f"{name}{'' if done.exists() else f': nothing within {SECONDS} s, see {name}.log'}", flush=True)
