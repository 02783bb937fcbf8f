"""Writes ONNX's own test cases of single nodes, to be run by ours.

    python3 test/golden/onnx-node/make.py          (onnx 1.23.2 from PyPI, numpy)

cases.bin.gz, gzip'd: the length of a JSON text (uint32, little endian), the text, then the bytes of every tensor in the order in
which the text names them. The text holds
    onnx       the version of the package
    cases      name, opset, node (op, attributes, names of inputs and outputs), tensors in and out (name, type, shape)
    left       name and op of every other case of the package, and what kept it out; it holds no tensors
A case is kept when it is one node of the standard domain, of the element types that our graphs hold, and small.
"""

import gzip
import json
import struct
import warnings
from pathlib import Path

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, numpy_helper
from onnx.backend.test.case.node import collect_testcases

LARGEST = 140_000
TYPES = {
    TensorProto.FLOAT: "float32",
    TensorProto.UINT8: "uint8",
    TensorProto.INT8: "int8",
    TensorProto.INT32: "int32",
    TensorProto.INT64: "int64",
    TensorProto.BOOL: "bool",
    TensorProto.DOUBLE: "float64",
}

warnings.simplefilter("ignore")
blob = bytearray()


def array_of(content):
    return numpy_helper.to_array(content) if isinstance(content, TensorProto) else np.asarray(content)


def tensor(name, content):
    array = array_of(content)
    blob.extend(array.astype(array.dtype.newbyteorder("<")).tobytes())
    element_type = TYPES[onnx.helper.np_dtype_to_tensor_dtype(array.dtype)]
    return {"name": name, "type": element_type, "shape": list(array.shape)}


def attribute(source):
    kind, value = AttributeProto.AttributeType.Name(source.type).lower(), onnx.helper.get_attribute_value(source)
    if kind == "string":
        value = value.decode()
    elif kind == "strings":
        value = [entry.decode() for entry in value]
    elif kind in ("ints", "floats"):
        value = list(value)
    elif kind == "tensor":
        value = tensor("", value)
    return {"kind": kind, "value": value}


def kept_out(case):
    """Why a case can't be held as one node with its tensors; None where it can."""
    graph = case.model.graph
    if len(graph.node) != 1:
        return "several nodes"
    if graph.node[0].domain:
        return f"domain {graph.node[0].domain}"
    if any(a.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS) for a in graph.node[0].attribute):
        return "subgraph"
    for info in [*graph.input, *graph.output]:
        if not info.type.HasField("tensor_type"):
            return "sequence or optional"
        if info.type.tensor_type.elem_type not in TYPES:
            return TensorProto.DataType.Name(info.type.tensor_type.elem_type).lower()
    if any(a.type == AttributeProto.TENSOR and a.t.data_type not in TYPES for a in graph.node[0].attribute):
        return "tensor attribute"
    if sum(array_of(content).nbytes for tensors in case.data_sets[0] for content in tensors) > LARGEST:
        return "large"
    return None


cases, left = [], []
for case in sorted(collect_testcases(None), key=lambda case: case.name):
    graph = case.model.graph
    name, node = case.name.removeprefix("test_"), graph.node[0]
    reason = kept_out(case)
    if reason:
        op = name if reason == "several nodes" else node.op_type
        left.append({"name": name, "op": op, "reason": reason})
        continue
    inputs, outputs = case.data_sets[0]
    cases.append(
        {
            "name": name,
            "opset": next(opset.version for opset in case.model.opset_import if not opset.domain),
            "node": {
                "op": node.op_type,
                "attributes": {a.name: attribute(a) for a in node.attribute},
                "inputs": list(node.input),
                "outputs": list(node.output),
            },
            "inputs": [tensor(info.name, array) for info, array in zip(graph.input, inputs)],
            "outputs": [tensor(info.name, array) for info, array in zip(graph.output, outputs)],
        }
    )

text = json.dumps({"onnx": onnx.__version__, "cases": cases, "left": left}, separators=(",", ":")).encode()
packed = gzip.compress(struct.pack("<I", len(text)) + text + bytes(blob), 9, mtime=0)
(Path(__file__).parent / "cases.bin.gz").write_bytes(packed)
print(f"{len(cases)} cases, {len(left)} left out, {len(packed)} bytes")
