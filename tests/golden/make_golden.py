#!/usr/bin/env python3
"""Golden vectors: what the published network computes, written out in NumPy.

This is the reference that every backend is tested against, so it shares nothing with the Rust code:
no phases, no streaming, no fused layers, double precision throughout. It is the article's network
word for word: three zero rows on the left, a valid 3x3 convolution, ReLU, 2x2 max pooling with
stride 2 aligned to the session's end, an LSTM from zero state in Keras' gate order, a dense layer;
and beside it the context layer. The bundles are written by hand too, from docs/bundle.md alone.

    pip install numpy safetensors
    python make_golden.py                 # rewrites golden.json and the *.propense files beside it
    python make_golden.py --check-keras   # also compares with Keras (pip install keras jax)

The files in the repository were made with NumPy 2.4.6; the numbers do not depend on the version
beyond the last digit of a double.
"""

import argparse
import hashlib
import json
import pathlib

import numpy as np
from safetensors.numpy import save

HERE = pathlib.Path(__file__).resolve().parent

KINDS = [
    "page_view", "search", "view_item_list", "select_item", "view_item", "add_to_wishlist",
    "add_to_cart", "remove_from_cart", "view_cart", "begin_checkout", "add_shipping_info",
    "add_payment_info", "purchase", "refund", "review",
]  # fmt: skip

EVERY_LENGTH = [*range(1, 41), 64, 200]

CASES = [
    # The published network: 181,185 parameters for 16 features.
    dict(name="seed", features=16, context=0, filters=32, hidden=128, context_hidden=32,
         activation="tanh", precision="f32", lengths=EVERY_LENGTH),
    # The same with context, in eight bits.
    dict(name="seed-context-int8", features=16, context=10, filters=32, hidden=128,
         context_hidden=32, activation="tanh", precision="int8", lengths=[0, 1, 2, 3, 10, 33, 64]),
    # An odd width, whose last convolution column pooling leaves out, in half precision.
    dict(name="context-f16", features=13, context=7, filters=8, hidden=24, context_hidden=12,
         activation="tanh", precision="f16", lengths=[0, *EVERY_LENGTH]),
    # The article's other activation, at the least width.
    dict(name="relu", features=4, context=0, filters=6, hidden=10, context_hidden=4,
         activation="relu", precision="f32", lengths=[1, 2, 3, 4, 5, 17, 40]),
    # An ensemble beside the recurrent path, which reads context and newest row. Inputs that are not
    # read, of one bin, of several.
    dict(name="ensemble", features=9, context=3, filters=2, hidden=4, context_hidden=3,
         activation="tanh", precision="f16", lengths=[0, 1, 2, 3, 10, 33], members=3, units=5,
         edges=[[-0.5, 0.25, 1.5], [], [0.0, 1.0], [0.0, 1.0], [-2.0, -1.0, 0.0, 0.5, 1.0], [],
                [-0.1, 0.1], [-1.5, 1.5], [0.0, 0.01, 0.3], [-3.0, 3.0], [0.5, 0.75], [-1.0, 0.0, 2.0]]),
]  # fmt: skip


# The network -------------------------------------------------------------------------------------


def logistic(x):
    return 1.0 / (1.0 + np.exp(-x))


def network(case, weights, rows, context):
    """The logit of one session: rows [events, features], context [context]."""
    w = {name: value.astype(np.float64) for name, value in weights.items()}
    activation = np.tanh if case["activation"] == "tanh" else lambda x: np.maximum(x, 0.0)
    hidden = np.zeros(case["hidden"])
    if len(rows) > 0:
        plane = np.concatenate([np.zeros((3, case["features"])), rows])

        # Valid convolution, stride 1, and ReLU: [filters, time, columns].
        height, width = plane.shape[0] - 2, plane.shape[1] - 2
        image = np.zeros((case["filters"], height, width))
        for filter in range(case["filters"]):
            kernel = w["conv.weight"][filter, 0]
            for i in range(height):
                for j in range(width):
                    patch = plane[i : i + 3, j : j + 3]
                    image[filter, i, j] = (patch * kernel).sum() + w["conv.bias"][filter]
        image = np.maximum(image, 0.0)

        # Max pooling 2x2, stride 2, aligned to the session's end in time.
        image = image[:, height % 2 :, :]
        steps, columns = image.shape[1] // 2, image.shape[2] // 2
        pooled = np.zeros((case["filters"], steps, columns))
        for i in range(steps):
            for j in range(columns):
                pooled[:, i, j] = image[:, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].max(axis=(1, 2))

        # LSTM over the flattened rows, gates in the order i, f, c, o.
        cell = np.zeros(case["hidden"])
        for i in range(steps):
            x = pooled[:, i, :].reshape(-1)
            z = x @ w["lstm.input"] + hidden @ w["lstm.recurrent"] + w["lstm.bias"]
            z_i, z_f, z_c, z_o = np.split(z, 4)
            cell = logistic(z_f) * cell + logistic(z_i) * activation(z_c)
            hidden = logistic(z_o) * activation(cell)

    joined = hidden
    if case["context"] > 0:
        units = np.maximum(context @ w["context.weight"] + w["context.bias"], 0.0)
        joined = np.concatenate([hidden, units])
    logit = float(joined @ w["output.weight"][:, 0] + w["output.bias"][0])
    if "edges" in case:
        newest = rows[-1] if len(rows) > 0 else np.zeros(case["features"])
        logit += ensemble(case, w, np.concatenate([context, newest]))
    return logit


def ensemble(case, w, inputs):
    """The mean logit of the members, one after the other."""
    encoded = []
    for x, edges in zip(inputs, case["edges"], strict=True):
        for low, high in zip(edges[:-1], edges[1:]):
            encoded.append(np.clip((x - low) / (high - low), 0.0, 1.0))
    units, logits = case["units"], []
    for member in range(case["members"]):
        own = slice(member * units, (member + 1) * units)
        first = np.array(encoded) @ w["ensemble.first"][:, own] + w["ensemble.first_bias"][own]
        second = np.maximum(first, 0.0) @ w["ensemble.second"][own] + w["ensemble.second_bias"][own]
        output = np.maximum(second, 0.0) @ w["ensemble.output"][own, 0]
        logits.append(output + w["ensemble.output_bias"][member])
    return float(np.mean(logits))


# Weights -----------------------------------------------------------------------------------------


def shapes(case):
    columns = (case["features"] - 2) // 2
    gates = 4 * case["hidden"]
    joined = case["hidden"] + (case["context_hidden"] if case["context"] > 0 else 0)
    result = {
        "conv.weight": (case["filters"], 1, 3, 3),
        "conv.bias": (case["filters"],),
        "lstm.input": (case["filters"] * columns, gates),
        "lstm.recurrent": (case["hidden"], gates),
        "lstm.bias": (gates,),
    }
    if case["context"] > 0:
        result["context.weight"] = (case["context"], case["context_hidden"])
        result["context.bias"] = (case["context_hidden"],)
    result["output.weight"] = (joined, 1)
    result["output.bias"] = (1,)
    if "edges" in case:
        units = case["members"] * case["units"]
        bins = sum(max(len(edges) - 1, 0) for edges in case["edges"])
        result["ensemble.first"] = (bins, units)
        result["ensemble.first_bias"] = (units,)
        result["ensemble.second"] = (units, case["units"])
        result["ensemble.second_bias"] = (units,)
        result["ensemble.output"] = (units, 1)
        result["ensemble.output_bias"] = (case["members"],)
    return result


def stored(name, value, precision):
    """A weight as the tensors of the file, and the values that these stand for."""
    if value.ndim == 1 or precision == "f32":
        return {name: value}, value
    if precision == "f16":
        half = value.astype(np.float16)
        return {name: half}, half.astype(np.float32)
    # Symmetric, one scale for each output channel: the last axis of a matrix, the first of a kernel.
    channel = 0 if value.ndim > 2 else value.ndim - 1
    others = tuple(axis for axis in range(value.ndim) if axis != channel)
    scale = (np.abs(value).max(axis=others) / 127.0).astype(np.float32)
    along = [1] * value.ndim
    along[channel] = -1
    integers = np.rint(value / scale.reshape(along)).clip(-127, 127).astype(np.int8)
    values = integers.astype(np.float32) * scale.reshape(along)
    return {name: integers, f"{name}.scale": scale}, values


def make_weights(case, random):
    """Random weights large enough for logits to differ plainly, as (tensors, values)."""
    tensors, values = {}, {}
    for name, shape in shapes(case).items():
        fan_in = {"conv.weight": 9}.get(name, shape[0])
        spread = 0.2 if len(shape) == 1 else 1.3 / np.sqrt(fan_in)
        value = random.normal(0.0, spread, shape).astype(np.float32)
        more, values[name] = stored(name, value, case["precision"])
        tensors.update(more)
    return tensors, values


# The bundle --------------------------------------------------------------------------------------


def one_hot_names(count):
    """Names for a one-hot of `count` columns: the last column is for all other names."""
    return [f"n{index}" for index in range(count - 1)]


def feature_specification(case):
    context = []
    if case["context"] > 0:
        names = one_hot_names(case["context"])
        context.append({"type": "category", "name": "golden", "names": names})
    return {
        "version": 1,
        "row": [{"type": "kind", "kinds": KINDS[: case["features"] - 1]}],
        "context": context,
        "utc_offset_minutes": 0,
        "item_rates": {},
        "category_rates": {},
    }


def write_bundle(case, tensors, path):
    """docs/bundle.md, step by step."""
    unsigned = "0" * 64
    manifest = {
        "format_version": 2 if "edges" in case else 1,
        "name": f"golden-{case['name']}",
        "task": "in-session",
        "model": {
            "features": case["features"],
            "context": case["context"],
            "filters": case["filters"],
            "kernel": 3,
            "hidden": case["hidden"],
            "context_hidden": case["context_hidden"],
            "activation": case["activation"],
            "dropout": 0.0,
        },
        "features": feature_specification(case),
        "heads": ["propensity"],
        "calibration": {"type": "identity"},
        "threshold": 0.5,
        "percentiles": [percent / 100 for percent in range(101)],
        "data": {
            "name": "random numbers",
            "sha256": "",
            "rows": 0,
            "sessions": 0,
            "base_rate": 0.0,
            "from_ms": 0,
            "to_ms": 0,
        },
        "metrics": None,
        "licence": "MIT OR Apache-2.0",
        "created_at": "2025-01-01T00:00:00Z",
        "sha256": unsigned,
    }
    if "edges" in case:
        manifest["model"]["ensemble"] = {
            "members": case["members"],
            "hidden": case["units"],
            "edges": case["edges"],
        }
    text = json.dumps(manifest, separators=(",", ":"))
    raw = save({name: np.ascontiguousarray(t) for name, t in tensors.items()}, {"propense": text})
    digits = hashlib.sha256(raw).hexdigest()
    assert raw.count(unsigned.encode()) == 1
    path.write_bytes(raw.replace(unsigned.encode(), digits.encode(), 1))


# Sessions ----------------------------------------------------------------------------------------


def make_session(case, length, random):
    """Numbers of two decimals: short in JSON, and what a featuriser gives in kind: flags, zeros
    and normalised numbers."""
    rows = random.normal(0.0, 1.0, (length, case["features"])).round(2)
    flags = random.random((length, case["features"]))
    rows = np.where(flags < 0.3, 0.0, np.where(flags < 0.5, 1.0, rows))
    return rows, random.normal(0.0, 1.0, case["context"]).round(2)


def keras_logit(case, weights, rows, context):
    """The same session through Keras' own layers."""
    import keras

    height = len(rows) + 1
    sequence = keras.Input((len(rows), case["features"], 1))
    conv = keras.layers.Conv2D(case["filters"], 3, activation="relu")
    x = conv(keras.layers.ZeroPadding2D(((3, 0), (0, 0)))(sequence))
    x = keras.layers.Cropping2D(((height % 2, 0), (0, 0)))(x)
    x = keras.layers.MaxPooling2D(2)(x)
    # Keras keeps channels last; the bundle's rows are filter-major.
    x = keras.layers.Permute((1, 3, 2))(x)
    x = keras.layers.Reshape((height // 2, -1))(x)
    lstm = keras.layers.LSTM(case["hidden"], activation=case["activation"])
    x = lstm(x)
    inputs = [sequence]
    dense = None
    if case["context"] > 0:
        inputs.append(keras.Input((case["context"],)))
        dense = keras.layers.Dense(case["context_hidden"], activation="relu")
        x = keras.layers.Concatenate()([x, dense(inputs[1])])
    output = keras.layers.Dense(1)
    model = keras.Model(inputs, output(x))
    w = weights
    conv.set_weights([w["conv.weight"].transpose(2, 3, 1, 0), w["conv.bias"]])
    lstm.set_weights([w["lstm.input"], w["lstm.recurrent"], w["lstm.bias"]])
    if dense is not None:
        dense.set_weights([w["context.weight"], w["context.bias"]])
    output.set_weights([w["output.weight"], w["output.bias"]])
    data = [rows[None, :, :, None].astype(np.float32), context[None].astype(np.float32)]
    return float(np.asarray(model.predict(data[: len(inputs)], verbose=0))[0, 0])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check-keras", action="store_true", help="compare with Keras as well")
    arguments = parser.parse_args()

    cases, worst = [], 0.0
    for number, case in enumerate(CASES):
        random = np.random.Generator(np.random.PCG64(20240 + number))
        tensors, values = make_weights(case, random)
        parameters = sum(value.size for value in values.values())
        if case["name"] == "seed":
            assert parameters == 320 + 4 * 128 * (224 + 128 + 1) + 129 == 181_185
        file = f"{case['name']}.propense"
        write_bundle(case, tensors, HERE / file)
        sessions = []
        for length in case["lengths"]:
            rows, context = make_session(case, length, random)
            logit = network(case, values, rows, context)
            sessions.append({"rows": rows.tolist(), "context": context.tolist(), "logit": logit})
            if arguments.check_keras and length in (1, 2, 3, 10, 33, 64):
                # The published network is Keras' to check; the ensemble is not in it.
                plain = {k: v for k, v in case.items() if k != "edges"}
                logit = network(plain, values, rows, context)
                found = keras_logit(case, values, rows, context)
                worst = max(worst, abs(found - logit))
                assert abs(found - logit) < 1e-4, (case["name"], length, found, logit)
        logits = [session["logit"] for session in sessions]
        print(
            f"{case['name']}: {parameters:,} parameters, {len(sessions)} sessions, "
            f"logits {min(logits):.3f} to {max(logits):.3f}"
        )
        cases.append(
            {"name": case["name"], "bundle": file, "parameters": parameters, "sessions": sessions}
        )
    if arguments.check_keras:
        print(f"Keras agrees; largest difference {worst:.1e}")
    note = "Made by make_golden.py, which says how. Do not edit."
    text = json.dumps({"note": note, "cases": cases}, separators=(",", ":"))
    (HERE / "golden.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
