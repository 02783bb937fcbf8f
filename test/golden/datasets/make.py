"""Writes small files of exactly the forms that datasets are published in, with other software than ours: tarfile, pickle, NumPy,
SciPy, Pillow. Byte (c, y, x) of image i is (37 i + 80 c + 3 y + 5 x) mod 256 wherever a form keeps bytes; labels are in the code below.

    python3 test/golden/datasets/make.py          (Python 3.11, NumPy 2.3, SciPy 1.16, Pillow 13)
"""

import gzip
import io
import json
import pickle
import struct
import tarfile
from pathlib import Path

import numpy
import scipy.io
from PIL import Image

HERE = Path(__file__).parent


def images(first, count, channels=3, size=32):
    i, c, y, x = numpy.ogrid[first : first + count, :channels, :size, :size]
    return ((37 * i + 80 * c + 3 * y + 5 * x) % 256).astype(numpy.uint8)


def archive(name, folder, files):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        entry = tarfile.TarInfo(folder)
        entry.type = tarfile.DIRTYPE
        tar.addfile(entry)
        for file, content in files.items():
            entry = tarfile.TarInfo(f"{folder}/{file}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    (HERE / name).write_bytes(gzip.compress(packed.getvalue(), 9, mtime=0))


class Python2Pickler(pickle._Pickler):
    """Protocol 2 as Python 2 wrote it: text and bytes alike are byte strings, and NumPy has its old name."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_string(self, value):
        raw = value if isinstance(value, bytes) else value.encode("latin1")
        if len(raw) < 256:
            self.write(pickle.SHORT_BINSTRING + struct.pack("<B", len(raw)) + raw)
        else:
            self.write(pickle.BINSTRING + struct.pack("<i", len(raw)) + raw)
        self.memoize(value)

    dispatch[str] = save_string
    dispatch[bytes] = save_string

    def save_global(self, obj, name=None):
        module, name = obj.__module__, name or obj.__qualname__
        self.write(pickle.GLOBAL + f"{module.replace('numpy._core', 'numpy.core')}\n{name}\n".encode())
        self.memoize(obj)

    dispatch[type] = save_global
    dispatch[type(archive)] = save_global
    dispatch[type(numpy.dtype)] = save_global


def pickled(value):
    out = io.BytesIO()
    Python2Pickler(out, 2).dump(value)
    # As every reader of these files in Python has it.
    back = pickle.loads(out.getvalue(), encoding="latin1")
    assert list(back) == list(value)
    assert all(numpy.array_equal(back[key], value[key]) for key in value)
    return out.getvalue()


def cifar10():
    parts = {"data_batch_1": (0, [3, 9, 0]), "data_batch_2": (3, [7, 1]), "test_batch": (5, [8, 3])}
    records, dicts = {}, {}
    for name, (first, labels) in parts.items():
        data = images(first, len(labels)).reshape(len(labels), -1)
        records[f"{name}.bin"] = b"".join(bytes([label]) + row.tobytes() for label, row in zip(labels, data))
        dicts[name] = pickled({
            "batch_label": f"of {name}",
            "labels": labels,
            "data": data,
            "filenames": [f"picture_{n}.png" for n in range(len(labels))],
        })
    dicts["batches.meta"] = pickled({"num_cases_per_batch": 3, "label_names": ["airplane"], "num_vis": 3072})
    archive("cifar-10-binary.tar.gz", "cifar-10-batches-bin", records)
    archive("cifar-10-python.tar.gz", "cifar-10-batches-py", dicts)


def cifar100():
    parts = {"train": (0, [19, 49, 0], [11, 5, 4]), "test": (3, [99, 20], [13, 6])}
    records, dicts = {}, {}
    for name, (first, fine, coarse) in parts.items():
        data = images(first, len(fine)).reshape(len(fine), -1)
        rows = zip(coarse, fine, data)
        records[f"{name}.bin"] = b"".join(bytes([c, f]) + row.tobytes() for c, f, row in rows)
        dicts[name] = pickled({
            "filenames": [f"picture_{n}.png" for n in range(len(fine))],
            "batch_label": f"of {name}",
            "fine_labels": fine,
            "coarse_labels": coarse,
            "data": data,
        })
    archive("cifar-100-binary.tar.gz", "cifar-100-binary", records)
    archive("cifar-100-python.tar.gz", "cifar-100-python", dicts)


def svhn():
    # [n, c, y, x] -> X [y, x, c, n]; the digit 0 is the label 10.
    for name, first, labels in [("train", 0, [1, 9, 10, 2]), ("test", 4, [10, 5])]:
        x = images(first, len(labels)).transpose(2, 3, 1, 0)
        y = numpy.array(labels, numpy.uint8).reshape(-1, 1)
        path = HERE / f"{name}_32x32.mat"
        scipy.io.savemat(path, {"X": x, "y": y}, do_compression=True)
        # The date in the header.
        raw = path.read_bytes()
        path.write_bytes(b"MATLAB 5.0 MAT-file, made for a test".ljust(116) + raw[116:])
        assert numpy.array_equal(scipy.io.loadmat(path)["X"], x)


def stl10():
    # Images column by column, labels from 1.
    files = {"class_names.txt": b"airplane\nbird\ncar\ncat\ndeer\ndog\nhorse\nmonkey\nship\ntruck\n"}
    for name, first, labels in [("train", 0, [2, 10, 1]), ("test", 3, [7])]:
        files[f"{name}_X.bin"] = images(first, len(labels), size=96).transpose(0, 1, 3, 2).tobytes()
        files[f"{name}_y.bin"] = bytes(labels)
    archive("stl10_binary.tar.gz", "stl10_binary", files)


def medmnist():
    def split(first, labels, channels):
        pixels = images(first, len(labels), channels, 28).transpose(0, 2, 3, 1)
        return (pixels[..., 0] if channels == 1 else pixels), numpy.array(labels, numpy.uint8).reshape(-1, 1)

    for name, channels in [("grey", 1), ("colour", 3)]:
        arrays = {}
        for part, first, labels in [("train", 0, [2, 0, 1]), ("val", 3, [0]), ("test", 4, [1, 2])]:
            arrays[f"{part}_images"], arrays[f"{part}_labels"] = split(first, labels, channels)
        numpy.savez_compressed(HERE / f"medmnist-{name}.npz", **arrays)


def jpeg(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, quality=95)
    with Image.open(path) as image:
        return image.convert("RGB")


def tiny_imagenet():
    """200 classes become two; a grey picture is among them, as there."""
    folder = HERE / "tiny-imagenet-200"
    wnids = ["n02124075", "n01443537"]
    train, test, annotations = [], [], []
    for label, wnid in enumerate(sorted(wnids)):
        boxes = []
        for n in range(2):
            pixels = images(2 * label + n, 1, size=64)[0].transpose(1, 2, 0)
            grey = label == 1 and n == 1
            name = f"{wnid}_{n}.JPEG"
            image = jpeg(folder / "train" / wnid / "images" / name, pixels[..., 0] if grey else pixels)
            train.append(numpy.asarray(image).transpose(2, 0, 1))
            boxes.append(f"{name}\t0\t0\t63\t63\n")
        (folder / "train" / wnid / f"{wnid}_boxes.txt").write_text("".join(boxes))
    for n, wnid in enumerate(wnids):
        image = jpeg(folder / "val" / "images" / f"val_{n}.JPEG", images(4 + n, 1, size=64)[0].transpose(1, 2, 0))
        test.append(numpy.asarray(image).transpose(2, 0, 1))
        annotations.append(f"val_{n}.JPEG\t{wnid}\t0\t0\t63\t63\n")
    (folder / "val" / "val_annotations.txt").write_text("".join(annotations))
    (folder / "wnids.txt").write_text("".join(f"{wnid}\n" for wnid in wnids))
    (folder / "words.txt").write_text("n01443537\tgoldfish, Carassius auratus\nn02124075\tEgyptian cat\n")
    return {"train": summary(train), "test": summary(test)}


def imagenette():
    """Two of ten classes, sizes of their own; shorter side to 16, then the middle, as torchvision's Resize and CenterCrop."""
    folder = HERE / "imagenette2-160"
    sizes = {"train": [(40, 24), (24, 40)], "val": [(33, 21)]}
    found = {"train": [], "val": []}
    for split, shapes in sizes.items():
        for label, wnid in enumerate(["n01440764", "n02102040"]):
            for n, (width, height) in enumerate(shapes):
                x, y = numpy.meshgrid(numpy.arange(width), numpy.arange(height))
                pixels = numpy.stack([x * 5, y * 5 + 20 * label, 200 - x * 2 - y], -1).clip(0, 255).astype(numpy.uint8)
                image = jpeg(folder / split / wnid / f"{wnid}_{n}.JPEG", pixels)
                scale = 16 / min(image.size)
                size = tuple(16 if side == min(image.size) else int(side * scale) for side in image.size)
                image = image.resize(size, Image.Resampling.BILINEAR)
                left, top = ((side - 16) / 2 for side in image.size)
                image = image.crop((round(left), round(top), round(left) + 16, round(top) + 16))
                found[split].append(numpy.asarray(image).transpose(2, 0, 1))
    return {"train": summary(found["train"]), "test": summary(found["val"])}


def summary(pixels):
    return [numpy.asarray(image).ravel()[::97].tolist() for image in pixels]


cifar10()
cifar100()
svhn()
stl10()
medmnist()
expected = {"every 97th byte": {"tiny-imagenet": tiny_imagenet(), "imagenette": imagenette()}}
(HERE / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")
