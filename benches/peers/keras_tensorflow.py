"""Keras on TensorFlow, the article's own stack: `keras_tensorflow.py FOLDER`, driven by
`cargo xtask bench`. Scoring goes through a traced function, training through `fit`."""

import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np
import tensorflow as tf
from prepare import COLUMNS, FEATURES, FILTERS, GOLDEN, HIDDEN, ROWS, STEPS, by_column
from safetensors.numpy import load_file
from worker import THREADS, inputs, microseconds, serve

BATCH = 64
# How often an epoch goes through the sessions: so long that what comes before it does not count.
TIMES = 4


def network():
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((ROWS, FEATURES, 1)),
            layers.Conv2D(FILTERS, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Reshape((STEPS, FILTERS * COLUMNS)),
            layers.LSTM(HIDDEN),
            layers.Dense(1),
        ]
    )
    w = load_file(GOLDEN)
    conv, _, _, lstm, output = model.layers
    conv.set_weights([w["conv.weight"].transpose(2, 3, 1, 0), w["conv.bias"]])
    lstm.set_weights([by_column(w["lstm.input"]), w["lstm.recurrent"], w["lstm.bias"]])
    output.set_weights([w["output.weight"], w["output.bias"]])
    return model


def main():
    padded, labels, _ = inputs()
    planes = padded[..., None]
    start = time.perf_counter()
    model = network()
    score = tf.function(lambda sessions: model(sessions, training=False), reduce_retracing=False)
    one, many = tf.constant(planes[:1]), tf.constant(planes)
    first = float(score(one).numpy()[0, 0])
    begun = (time.perf_counter() - start) * 1e6
    hello = {
        "name": "Keras on TensorFlow",
        "version": f"{keras.__version__} on {tf.__version__}",
        "threads": THREADS,
        "first": begun,
        "one": first,
        "logits": score(many).numpy()[:, 0].tolist(),
    }

    learner = network()
    learner.compile(
        optimizer=keras.optimizers.Adam(0.001, clipnorm=None, global_clipnorm=5.0),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
    )
    learnt = np.tile(planes, (TIMES, 1, 1, 1))
    outcomes = np.tile(labels[:, None], (TIMES, 1))

    def train():
        start = time.perf_counter()
        learner.fit(learnt, outcomes, batch_size=BATCH, epochs=1, verbose=0)
        return [len(learnt) / (time.perf_counter() - start)]

    train()
    serve(
        hello,
        {
            "one": lambda: microseconds(lambda: score(one).numpy(), 20),
            "many": lambda: microseconds(lambda: score(many).numpy(), 2),
            "train": train,
        },
    )


main()
