#!/usr/bin/env python3
"""Writes one network and one set of sessions for every implementation: `prepare.py FOLDER`.

The weights are those of tests/golden/seed.propense: the published network on 16 features, random,
made without Propense. Propense puts three rows of zeros before a session and aligns pooling to its
end; for 32 events that leaves the first row of the convolution out, so the others get the same
from two rows of zeros, 32 events and plain pooling.
"""

import hashlib
import json
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors import safe_open
from safetensors.numpy import load_file, save

FEATURES, EVENTS, SESSIONS = 16, 32, 256
FILTERS, COLUMNS, HIDDEN = 32, 7, 128
ROWS, STEPS = EVENTS + 2, EVENTS // 2
CHECKED = 8

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "seed.propense"


def sessions(random):
    """Numbers like a featuriser's: flags, zeros and normalised numbers."""
    shape = (SESSIONS, EVENTS, FEATURES)
    rows, flags = random.normal(0.0, 1.0, shape), random.random(shape)
    return np.where(flags < 0.3, 0.0, np.where(flags < 0.5, 1.0, rows)).astype(np.float32)


def write_bundle(w, rows, path):
    """The golden bundle with a session to check a backend by, as every trained one has. Its logits
    are those of the NumPy reference."""
    sys.path.insert(0, str(GOLDEN.parent))
    from make_golden import CASES, network

    case = next(case for case in CASES if case["name"] == "seed")
    none = np.zeros(0)
    logits = [network(case, w, rows[:n].astype(np.float64), none) for n in range(1, len(rows) + 1)]
    with safe_open(GOLDEN, "np") as file:
        manifest = json.loads(file.metadata()["propense"])
    manifest["golden"] = {"rows": rows.tolist(), "context": [], "logits": logits}
    manifest["sha256"] = "0" * 64
    raw = save(w, {"propense": json.dumps(manifest, separators=(",", ":"))})
    digits = hashlib.sha256(raw).hexdigest()
    path.write_bytes(raw.replace(b"0" * 64, digits.encode(), 1))


def by_column(w):
    """The input's weights with their rows ordered by column, then by filter: for channels last."""
    return w.reshape(FILTERS, COLUMNS, -1).transpose(1, 0, 2).reshape(FILTERS * COLUMNS, -1)


def write_onnx(w, path):
    """Gates go from i, f, c, o to ONNX' order i, o, f, c."""

    def gates(matrix):
        i, f, c, o = np.split(matrix, 4, axis=-1)
        return np.concatenate([i, o, f, c], axis=-1)

    bias = np.concatenate([gates(w["lstm.bias"]), np.zeros(4 * HIDDEN, np.float32)])
    constants = {
        "conv_w": w["conv.weight"],
        "conv_b": w["conv.bias"],
        "shape": np.array([STEPS, -1, FILTERS * COLUMNS], np.int64),
        "lstm_w": gates(w["lstm.input"]).T[None],
        "lstm_r": gates(w["lstm.recurrent"]).T[None],
        "lstm_b": bias[None],
        "first": np.array([0], np.int64),
        "out_w": w["output.weight"],
        "out_b": w["output.bias"],
    }
    nodes = [
        helper.make_node("Conv", ["sessions", "conv_w", "conv_b"], ["conv"], kernel_shape=[3, 3]),
        helper.make_node("Relu", ["conv"], ["relu"]),
        helper.make_node("MaxPool", ["relu"], ["pool"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Transpose", ["pool"], ["by_step"], perm=[2, 0, 1, 3]),
        helper.make_node("Reshape", ["by_step", "shape"], ["steps"]),
        helper.make_node(
            "LSTM", ["steps", "lstm_w", "lstm_r", "lstm_b"], ["", "last"], hidden_size=HIDDEN
        ),
        helper.make_node("Squeeze", ["last", "first"], ["hidden"]),
        helper.make_node("Gemm", ["hidden", "out_w", "out_b"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "published",
        [helper.make_tensor_value_info("sessions", TensorProto.FLOAT, ["n", 1, ROWS, FEATURES])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 1])],
        [numpy_helper.from_array(np.ascontiguousarray(v), k) for k, v in constants.items()],
    )
    # Versions that every one of the runtimes reads.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())


def write_tfjs(w, folder):
    """A layers model as TensorFlow.js saves it."""

    def layer(kind, name, **config):
        return {"class_name": kind, "config": {"name": name, "trainable": True, **config}}

    layers = [
        layer("Conv2D", "conv", filters=FILTERS, kernel_size=[3, 3], activation="relu",
              padding="valid", batch_input_shape=[None, ROWS, FEATURES, 1], dtype="float32"),
        layer("MaxPooling2D", "pool", pool_size=[2, 2], strides=[2, 2], padding="valid"),
        layer("Reshape", "steps", target_shape=[STEPS, FILTERS * COLUMNS]),
        layer("LSTM", "lstm", units=HIDDEN, activation="tanh", recurrent_activation="sigmoid"),
        layer("Dense", "output", units=1, activation="linear"),
    ]  # fmt: skip
    weights = {
        "conv/kernel": w["conv.weight"].transpose(2, 3, 1, 0),
        "conv/bias": w["conv.bias"],
        "lstm/kernel": by_column(w["lstm.input"]),
        "lstm/recurrent_kernel": w["lstm.recurrent"],
        "lstm/bias": w["lstm.bias"],
        "output/kernel": w["output.weight"],
        "output/bias": w["output.bias"],
    }
    manifest = [{"name": k, "shape": list(v.shape), "dtype": "float32"} for k, v in weights.items()]
    model = {
        "format": "layers-model",
        "modelTopology": {
            "class_name": "Sequential",
            "config": {"name": "published", "layers": layers},
        },
        "weightsManifest": [{"paths": ["tfjs.bin"], "weights": manifest}],
    }
    (folder / "tfjs.json").write_text(json.dumps(model))
    (folder / "tfjs.bin").write_bytes(b"".join(v.astype("<f4").tobytes() for v in weights.values()))


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    w = load_file(GOLDEN)
    random = np.random.Generator(np.random.PCG64(7))
    rows = sessions(random)
    padded = np.concatenate([np.zeros((SESSIONS, 2, FEATURES), np.float32), rows], axis=1)
    rows.astype("<f4").tofile(folder / "sessions.bin")
    padded.astype("<f4").tofile(folder / "padded.bin")
    (random.random(SESSIONS) < 0.3).astype("<f4").tofile(folder / "labels.bin")
    write_bundle(w, rows[0, :CHECKED], folder / "network.propense")
    write_onnx(w, folder / "network.onnx")
    write_tfjs(w, folder)


if __name__ == "__main__":
    main()
