"""Run a network on LiteRT, which is faster on a processor than Keras; nothing else is loaded."""

from collections.abc import Mapping, Sequence
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

    def __init__(self, content: bytes, outputs: Sequence[str]) -> None:
        """Load a network.

        Args:
            content: From `conversion.litert`.
            outputs: What to call its outputs, in their order.

        Raises:
            ValueError: It is no such network.
        """
        self._content, self._interpreters = content, dict[int, Any]()
        interpreter = self._sized(N_AT_A_TIME)
        self._given = {d["name"]: d for d in interpreter.get_input_details()}
        self._outputs = dict(zip(outputs, interpreter.get_output_details(), strict=True))

    @property
    def inputs(self) -> dict[str, tuple[int, ...]]:
        """The shape of each input, of one lesion."""
        return {name: tuple(map(int, d["shape"][1:])) for name, d in self._given.items()}

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the network.

        Args:
            inputs: "image", shape (n, px, px, 3), uint8, and "tabular", shape (n, n_features),
                float32, whichever the network has; any n.

        Returns:
            By output, shape (n, width), float32.
        """
        n = len(next(iter(inputs.values())))
        shapes = {name: (n, *d["shape"][1:]) for name, d in self._outputs.items()}
        found = {name: np.empty(shape, np.float32) for name, shape in shapes.items()}
        for i in range(0, n, N_AT_A_TIME):
            rows = slice(i, min(n, i + N_AT_A_TIME))
            size = min(size for size in SIZES if size >= rows.stop - i)
            interpreter = self._sized(size)
            for name, d in self._given.items():
                filled = np.zeros((size, *inputs[name].shape[1:]), inputs[name].dtype)
                filled[: rows.stop - i] = inputs[name][rows]
                interpreter.set_tensor(d["index"], filled)
            interpreter.invoke()
            for name, d in self._outputs.items():
                found[name][rows] = interpreter.get_tensor(d["index"])[: rows.stop - i]
        return found

    def _sized(self, n: int) -> Any:
        """Make what runs n lesions at a time, once: each holds all weights."""
        if n not in self._interpreters:
            from ai_edge_litert.interpreter import Interpreter

            with quiet():
                made = Interpreter(model_content=self._content, num_threads=threads.n_threads())
                for d in made.get_input_details():
                    made.resize_tensor_input(d["index"], [n, *d["shape"][1:]])
                made.allocate_tensors()
            self._interpreters[n] = made
        return self._interpreters[n]
