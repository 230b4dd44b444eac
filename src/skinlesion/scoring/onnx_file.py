"""A network in ONNX, for engines other than ours, and how far it is from the same on LiteRT."""

import importlib.util
from collections.abc import Mapping
from itertools import chain
from typing import Any

import keras
import numpy as np

from skinlesion.errors import InputError
from skinlesion.quiet import quiet
from skinlesion.scoring import conversion
from skinlesion.scoring.litert import N_AT_A_TIME

__all__ = ["PACKAGES", "apart", "content", "require"]

PACKAGES = ("tf2onnx", "onnxruntime")  # the extra `onnx`
OPSET = 18


def require(*, wanted: bool) -> None:
    """Require the packages that make and run ONNX.

    Args:
        wanted: Whether it is wanted at all.

    Raises:
        InputError: One is not installed.
    """
    absent = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if wanted and absent:
        raise InputError(
            f"params.yaml: export.onnx must be false where {absent[0]} is not installed. Got true: "
            "pip install -e '.[onnx]'"
        )


def content(model: keras.Model) -> bytes:
    """Convert a network; the same weights give the same bytes.

    Args:
        model: From `model.logits_of`, or `conversion.with_features`.

    Returns:
        ONNX of N_AT_A_TIME lesions, with the inputs "image", uint8, and "tabular", float32,
        whichever the network has, and the outputs of `conversion.OUTPUTS`.
    """
    with quiet():
        import tf2onnx

        graph: Any = conversion.constant(model, N_AT_A_TIME)
        names = {t.name: t.op.name for t in graph.inputs}
        names |= dict(zip([t.name for t in graph.outputs], conversion.OUTPUTS, strict=False))
        found, _ = tf2onnx.convert.from_graph_def(
            graph.graph.as_graph_def(),
            input_names=[t.name for t in graph.inputs],
            output_names=[t.name for t in graph.outputs],
            tensors_to_rename=names,
            opset=OPSET,
        )
    _order(found.graph)
    return bytes(found.SerializeToString(deterministic=True))


def apart(content: bytes, inputs: Mapping[str, np.ndarray], logits: np.ndarray) -> float:
    """Run a network on ONNX Runtime, and compare.

    Args:
        content: From `content`.
        inputs: Of N_AT_A_TIME lesions at most.
        logits: Of the same lesions, shape (n, 1), from LiteRT.

    Returns:
        The largest difference of the logit.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(content)
    n = len(logits)
    given = {
        i.name: np.concatenate(
            [
                inputs[i.name],
                np.zeros((N_AT_A_TIME - n, *inputs[i.name].shape[1:]), inputs[i.name].dtype),
            ]
        )
        for i in session.get_inputs()
    }
    (found,) = session.run(["logit"], given)
    return float(np.abs(found[:n] - logits).max(initial=0.0))


def _order(graph: Any) -> None:
    """Order and name what is in a graph by where it is used; the converter does so by sets."""
    makers = {name: node for node in graph.node for name in node.output}
    weights = {tensor.name: tensor for tensor in graph.initializer}
    nodes, used = _walked([o.name for o in graph.output], makers, weights)
    outside = {io.name for io in chain(graph.input, graph.output)}
    inner = chain(used, (name for node in nodes for name in node.output))
    names = {old: f"t{i}" for i, old in enumerate(n for n in inner if n not in outside)}
    kept = [type(w).FromString(w.SerializeToString()) for w in (weights[name] for name in used)]
    made = [type(n).FromString(n.SerializeToString()) for n in nodes]
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    for weight in kept:
        weight.name = names.get(weight.name, weight.name)
    for i, node in enumerate(made):
        node.name = f"n{i}"
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    graph.initializer.extend(kept)
    graph.node.extend(made)


def _walked(
    wanted: list[str], makers: Mapping[str, Any], weights: Mapping[str, Any]
) -> tuple[list[Any], list[str]]:
    """List nodes, each after what it reads, and weights in the order of their first use."""
    nodes: list[Any] = []
    used: dict[str, None] = {}
    done: set[str] = set()
    stack = [(name, False) for name in reversed(wanted)]
    while stack:
        name, is_ready = stack.pop()
        if name in weights:
            used[name] = None
        if name not in makers or name in done:
            continue
        if is_ready:
            nodes.append(makers[name])
            done.update(makers[name].output)
            continue
        stack.append((name, True))
        stack.extend((each, False) for each in reversed(makers[name].input))
    return nodes, list(used)
