"""Run a network on LiteRT, which is faster on a processor than Keras; nothing else is loaded."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from skinlesion.dataset import threads
from skinlesion.quiet import quiet

__all__ = ["N_AT_A_TIME", "Network"]

N_AT_A_TIME = 32  # few enough for what lies between two layers to stay in the processor's cache
SIZES = (1, 8, N_AT_A_TIME)  # of batches: a few lesions do not take the time of 32


class Network:
    """A network in LiteRT's format.

    LiteRT multiplies each batch normalisation into the convolution before it, and sums in another
    order: outputs differ from those of Keras by about 1e-5 of their size. They are the same bits on
    every run, for any number of threads, and whatever else is in the batch.

    Source:
        https://ai.google.dev/edge/litert
    """

    def __init__(self, content: bytes) -> None:
        """Load a network.

        Args:
            content: From `conversion.litert`.

        Raises:
            ValueError: It is no such network.
        """
        self._content, self._interpreters = content, dict[int, Any]()
        interpreter = self._sized(N_AT_A_TIME)
        self._given = {d["name"]: d for d in interpreter.get_input_details()}
        self._outputs = interpreter.get_output_details()

    def run(self, inputs: Mapping[str, np.ndarray], n: int) -> np.ndarray:
        """Run the network.

        Args:
            inputs: "image", shape (n, px, px, 3), uint8, and "tabular", shape (n, n_features),
                float32, of n lesions or more; those that the network has not are left alone.
            n: Lesions; any number.

        Returns:
            Its outputs side by side, shape (n, width), float32.
        """
        width = sum(int(d["shape"][1]) for d in self._outputs)
        found = np.empty((n, width), np.float32)
        for i in range(0, n, N_AT_A_TIME):
            rows = slice(i, min(n, i + N_AT_A_TIME))
            found[rows] = self._run({name: inputs[name][rows] for name in self._given})
        return found

    def _run(self, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        """Run one batch of at most N_AT_A_TIME lesions, filled up to one of SIZES."""
        n = len(next(iter(inputs.values())))
        size = min(size for size in SIZES if size >= n)
        interpreter = self._sized(size)
        for name, array in inputs.items():
            filled = np.zeros((size, *array.shape[1:]), array.dtype)
            filled[:n] = array
            interpreter.set_tensor(self._given[name]["index"], filled)
        interpreter.invoke()
        return np.hstack([interpreter.get_tensor(d["index"])[:n] for d in self._outputs])

    def _sized(self, n: int) -> Any:
        """Make what runs n lesions at a time, once: each holds all weights."""
        if n not in self._interpreters:
            self._interpreters[n] = self._made(n)
        return self._interpreters[n]

    def _made(self, n: int) -> Any:
        from ai_edge_litert.interpreter import Interpreter

        with quiet():
            made = Interpreter(model_content=self._content, num_threads=threads.n_threads())
            for d in made.get_input_details():
                made.resize_tensor_input(d["index"], [n, *d["shape"][1:]])
            made.allocate_tensors()
        return made
