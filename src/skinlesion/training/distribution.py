"""Train one network on several devices, of one host or of many; gather their scores."""

from collections import Counter
from collections.abc import Callable
from itertools import zip_longest
from typing import Literal, TypeAlias

import keras
import numpy as np
import tensorflow as tf

from skinlesion.dataset.sharding import WHOLE, Shard
from skinlesion.errors import InputError
from skinlesion.training import processes

__all__ = ["Run", "current", "joined", "require_same", "scorer", "start"]

Run: TypeAlias = Callable[[dict[str, np.ndarray]], np.ndarray]  # from inputs to logits

N_BYTES = 2_000  # of each process's text
N_SHOWN, N_BEFORE = 200, 40  # characters, of which so many before the first that differs
N_NAMED = 5  # processes that said the same


def start(devices: Literal["one", "all"]) -> Shard:
    """Choose the devices on which networks that are built from now on train: one, or all.

    Call it right after `backend.start`: JAX finds its hosts before its first array is made.

    Args:
        devices: "one", Keras' default device, changes nothing. "all": every device of this
            host; of several hosts under JAX, where KERAS_DISTRIBUTION_* name them.

    Returns:
        The shard of this process.

    Raises:
        InputError: The environment names hosts in part, falsely, or where one device or
            TensorFlow is to train; or the hosts differ in their number of devices.

    Source:
        https://keras.io/api/distribution/initialize,
        https://www.tensorflow.org/api_docs/python/tf/distribute/MirroredStrategy
    """
    if processes.named():
        _require_hosts(devices)
        keras.distribution.initialize()
    if devices == "all" and keras.backend.backend() == "jax":
        _start_jax()
    elif devices == "all" and not tf.distribute.has_strategy():
        _start_tensorflow()
    return current()


def current() -> Shard:
    """Return the shard of this process, for networks that are built now."""
    spread = keras.distribution.distribution()
    if spread is None:
        return Shard(tf.distribute.get_strategy().num_replicas_in_sync)
    return Shard(spread.num_model_replicas, spread.num_processes, spread.data_shard_id)


def require_same(text: str, must: str) -> None:
    """Raise in all processes unless their texts are equal.

    Args:
        text: What this process has found; at most N_BYTES in UTF-8.
        must: What all must do, for the message.

    Raises:
        InputError: A process has found something else. The message shows of long texts where
            they begin to differ.
        ValueError: The text is too long.
    """
    if len(text.encode()) > N_BYTES:
        raise ValueError(f"text must be of at most {N_BYTES} bytes. Got {len(text.encode())}.")
    who: dict[str, list[int]] = {}
    for process, said in enumerate(_everyone(text)):
        who.setdefault(said, []).append(process)
    if len(who) > 1:
        shown = zip(map(_listed, who.values()), _differing(list(who)), strict=True)
        listed = "; ".join(f"{these}: {said}" for these, said in shown)
        raise InputError(f"all processes must {must}. Got {listed}.")


def joined(scores: np.ndarray, n_lesions: int) -> np.ndarray:
    """Gather the scores of all processes.

    Args:
        scores: Of the lesions of `Shard.rows`, in their order; float32 is kept exactly.
        n_lesions: Of all processes together.

    Returns:
        Shape (n_lesions,), the same in every process.
    """
    n_processes = current().n_processes
    if n_processes == 1:
        return scores
    part = np.zeros(-(-n_lesions // n_processes), np.float32)
    part[: len(scores)] = scores
    return _gathered(part).reshape(-1)[:n_lesions].astype(scores.dtype)


def scorer(logits: keras.Model) -> Callable[[], Run]:
    """Return a scorer that divides a batch between this process's devices.

    Keras would have each of TensorFlow's devices score the whole batch, and under JAX would
    score with all processes at once, of which none can read the result.

    Args:
        logits: In training.

    Returns:
        A function that gives the network as it is now, for `model.apply`. Its batches must be
        a multiple of the process's devices.
    """
    if current() == WHOLE:
        return lambda: logits.predict_on_batch
    return _local(logits) if keras.backend.backend() == "jax" else _mirrored(logits)


def _require_hosts(devices: str) -> None:
    if devices == "one" or keras.backend.backend() != "jax":
        raise InputError(
            f"params.yaml: where {processes.COUNT} is set, keras must have devices: all and "
            f"backend: jax. Got devices: {devices} and backend: {keras.backend.backend()}."
        )
    processes.addresses(processes.current().n_processes)


def _start_jax() -> None:
    import jax  # no other backend needs it installed

    counts = Counter(device.process_index for device in jax.devices())
    if len(set(counts.values())) > 1:
        raise InputError(f"all processes must have as many devices. Got {sorted(counts.items())}.")
    if jax.device_count() > 1:
        # Each process reads its own part of a batch.
        spread = keras.distribution.DataParallel(auto_shard_dataset=False)
        keras.distribution.set_distribution(spread)


def _start_tensorflow() -> None:
    found = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if len(found) > 1:
        mirrored = tf.distribute.MirroredStrategy([device.name for device in found])
        tf.distribute.experimental_set_strategy(mirrored)


def _everyone(text: str) -> list[str]:
    """Gather the texts of all processes, by process index."""
    if current().n_processes == 1:
        return [text]
    said = np.zeros(N_BYTES, np.uint8)
    said[: len(text.encode())] = np.frombuffer(text.encode(), np.uint8)
    return [row.tobytes().rstrip(b"\0").decode() for row in _gathered(said)]


def _listed(numbers: list[int]) -> str:
    more = f" and {len(numbers) - N_NAMED} more" if len(numbers) > N_NAMED else ""
    return f"process {', '.join(map(str, numbers[:N_NAMED]))}{more}"


def _differing(texts: list[str]) -> list[str]:
    """Shorten long texts to the part where they begin to differ."""
    if max(map(len, texts)) <= N_SHOWN:
        return texts
    pairs = enumerate(zip_longest(min(texts), max(texts)))
    start = max(0, next(i for i, (one, other) in pairs if one != other) - N_BEFORE)
    end = start + N_SHOWN
    return [f"{'…' * (start > 0)}{t[start:end]}{'…' * (len(t) > end)}" for t in texts]


def _gathered(array: np.ndarray) -> np.ndarray:
    from jax.experimental import multihost_utils

    return np.asarray(multihost_utils.process_allgather(array))


def _local(logits: keras.Model) -> Callable[[], Run]:
    """Score by the weights that all processes share, on the devices of this one."""
    import jax

    mesh = jax.sharding.Mesh(jax.local_devices(), ("batch",))
    whole = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
    split = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("batch"))
    step = jax.jit(lambda state, inputs: logits.stateless_call(*state, inputs, training=False)[0])

    def as_now() -> Run:
        of = logits.trainable_variables, logits.non_trainable_variables
        # Through numpy: JAX moves no array from all processes' devices to those of one.
        numbers = [[keras.ops.convert_to_numpy(variable) for variable in part] for part in of]
        state = jax.device_put(numbers, whole)
        return lambda inputs: np.asarray(step(state, jax.device_put(inputs, split)))

    return as_now


def _mirrored(logits: keras.Model) -> Callable[[], Run]:
    """Score with all of TensorFlow's devices, which have the same weights."""
    strategy = tf.distribute.get_strategy()
    n = strategy.num_replicas_in_sync
    step = tf.function(lambda inputs: strategy.run(logits, (inputs,), {"training": False}))

    def run(inputs: dict[str, np.ndarray]) -> np.ndarray:
        parts = {name: np.split(array, n) for name, array in inputs.items()}
        given = strategy.experimental_distribute_values_from_function(
            lambda of: {name: split[of.replica_id_in_sync_group] for name, split in parts.items()}
        )
        return np.concatenate(strategy.experimental_local_results(step(given)))

    return lambda: run
