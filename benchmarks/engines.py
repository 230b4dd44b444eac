"""How fast each engine runs a network to score, against Keras, on one batch that lies ready.

    python benchmarks/engines.py [tiny|usual|large]

Each engine is timed in turn with Keras, in a process of its own: threads of one that wait would
hold up the others. ONNX Runtime and OpenVINO are measured where they are installed:

    pip install onnxruntime openvino tf2onnx
"""

import importlib.util
import os
import sys
from collections.abc import Callable
from typing import Any

import harness
import numpy as np
import results

# (backbone, px, batches per round)
NETWORKS = {
    "tiny": [("tiny", 32, 1)],
    "usual": [("efficientnetv2_b2", 64, 2)],
    "large": [("tiny", 64, 50), ("efficientnetv2_b2", 64, 10), ("efficientnetv2_b2", 128, 3)],
}
N_ROUNDS = {"tiny": 1, "usual": 7, "large": 15}
BATCH_SIZE = 128  # of params.yaml
N_FEATURES = 52
Batch = dict[str, np.ndarray]
Run = Callable[[Batch], np.ndarray]


def constants(logits: Any) -> Run:
    """Run TensorFlow's graph with the weights as constants, which it folds as far as it can."""
    import tensorflow as tf

    from skinlesion.scoring import conversion

    run = conversion.constant(logits, BATCH_SIZE)
    return lambda batch: run(**{k: tf.constant(v) for k, v in batch.items()})[0].numpy()


def litert(logits: Any) -> Run:
    """Run what `predict.engine: litert` runs."""
    from skinlesion.scoring import engine

    run = engine.on_litert(logits)
    return lambda batch: run(batch, BATCH_SIZE)


def onnx_runtime(logits: Any) -> Run:
    """Run ONNX Runtime."""
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = os.cpu_count()
    session = onnxruntime.InferenceSession(_onnx(logits), options)
    return lambda batch: session.run(None, batch)[0]


def openvino_float32(logits: Any) -> Run:
    """Run OpenVINO as Keras runs: in float32."""
    return _openvino(logits, "f32")


def openvino_bfloat16(logits: Any) -> Run:
    """Run OpenVINO in bfloat16, its own choice where the processor has it."""
    return _openvino(logits, "bf16")


# name: (how it is made, the packages that it needs)
ENGINES = {
    "constants": (constants, []),
    "litert": (litert, ["ai_edge_litert"]),
    "onnxruntime": (onnx_runtime, ["onnxruntime", "tf2onnx"]),
    "openvino": (openvino_float32, ["openvino", "tf2onnx"]),
    "openvino, bfloat16": (openvino_bfloat16, ["openvino", "tf2onnx"]),
}


def rate(name: str, plan: tuple[str, int, int], n_rounds: int) -> dict[str, Any]:
    """Measure an engine against Keras; `most_apart` is of logits."""
    from skinlesion.network import backend, model

    backend.start(backend.Params(backend="tensorflow", precision="float32", seed=0))
    import limits
    import networks

    backbone, px, n_batches = plan
    architecture = networks.architecture(backbone, px, N_FEATURES)
    logits = model.logits_of(model.build(architecture))
    batch = limits.constant_batch(architecture, BATCH_SIZE)
    made: list[Run] = []
    loading = harness.took(lambda: made.append(ENGINES[name][0](logits)))

    def repeated(run: Run) -> Callable[[], None]:
        return lambda: [run(batch) for _ in range(n_batches)] and None

    sides = {"keras": repeated(logits.predict_on_batch), "engine": repeated(made[0])}
    took = harness.medians(sides, n_rounds=n_rounds)
    wall, cpu = (a / b for a, b in zip(took["keras"], took["engine"], strict=True))
    apart = float(np.abs(made[0](batch) - logits.predict_on_batch(batch)).max())
    return {
        "network": backbone,
        "px": px,
        "engine": name,
        "per_s": n_batches * BATCH_SIZE / took["engine"].seconds,
        "times_keras": wall,
        "times_keras_cpu": cpu,
        "load_s": loading.seconds,
        "most_apart": f"{apart:.0e}",
    }


def _onnx(logits: Any) -> bytes:
    import tf2onnx

    from skinlesion.scoring import conversion

    graph: Any = conversion.constant(logits, BATCH_SIZE)
    names = {t.name: t.op.name for t in graph.inputs}
    given, _ = tf2onnx.convert.from_graph_def(
        graph.graph.as_graph_def(),
        input_names=list(names),
        output_names=[t.name for t in graph.outputs],
        tensors_to_rename=names,
        opset=18,
    )
    return given.SerializeToString()


def _openvino(logits: Any, precision: str) -> Run:
    # What it sends at import is left out when this is absent.
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    import openvino

    core = openvino.Core()
    chosen = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": os.cpu_count()}
    compiled = core.compile_model(core.read_model(_onnx(logits), b""), "CPU", chosen)
    return lambda batch: compiled(batch)[0].copy()


def main(size: str) -> None:
    rows = []
    for name, (_, packages) in ENGINES.items():
        absent = [package for package in packages if not importlib.util.find_spec(package)]
        if absent:
            print(f"{name}: not measured, since {', '.join(absent)} is not installed")
            continue
        for plan in NETWORKS[size]:
            rows.append(harness.apart(rate, name, plan, N_ROUNDS[size])[0])
    results.report("engines", rows)


if __name__ == "__main__":
    main(harness.size(sys.argv[1:]))
