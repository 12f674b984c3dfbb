"""ONNX Runtime on the CPU: `onnx_runtime.py FOLDER`, driven by `cargo xtask bench`."""

import time

import onnxruntime as ort
from worker import THREADS, inputs, microseconds, serve


def session(folder, threads):
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Idle threads would otherwise spin on the processors that the next implementation needs.
    options.add_session_config_entry("session.intra_op.allow_spinning", "1")
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return ort.InferenceSession(
        str(folder / "network.onnx"), options, providers=["CPUExecutionProvider"]
    )


def main():
    padded, _, folder = inputs()
    many = padded[:, None]
    one = many[:1]
    start = time.perf_counter()
    all_threads = session(folder, THREADS)
    first = float(all_threads.run(None, {"sessions": one})[0][0, 0])
    begun = (time.perf_counter() - start) * 1e6
    single = session(folder, 1)
    hello = {
        "name": "ONNX Runtime",
        "version": ort.__version__,
        "threads": THREADS,
        "first": begun,
        "one": first,
        "logits": all_threads.run(None, {"sessions": many})[0][:, 0].tolist(),
    }
    single.run(None, {"sessions": many})

    def case(runtime, sessions, repeats):
        return lambda: microseconds(lambda: runtime.run(None, {"sessions": sessions}), repeats)

    serve(
        hello,
        {
            "one": case(all_threads, one, 20),
            "one-1": case(single, one, 20),
            "many": case(all_threads, many, 2),
            "many-1": case(single, many, 2),
        },
    )


main()
