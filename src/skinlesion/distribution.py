"""Train one network on several devices, of one host or of many; join what they score."""

import os
from collections import Counter
from collections.abc import Callable
from typing import Literal, TypeAlias

import keras
import numpy as np
import tensorflow as tf

from skinlesion.errors import InputError
from skinlesion.share import WHOLE, Share

__all__ = ["Run", "current", "joined", "require_same", "scorer", "start"]

Run: TypeAlias = Callable[[dict[str, np.ndarray]], np.ndarray]  # from inputs to logits

_ADDRESSES, _COUNT, _ID = _VARIABLES = (
    "KERAS_DISTRIBUTION_JOB_ADDRESSES",
    "KERAS_DISTRIBUTION_NUM_PROCESSES",
    "KERAS_DISTRIBUTION_PROCESS_ID",
)


def start(devices: Literal["one", "all"]) -> Share:
    """Let the networks that are built from now on train on one device, or on all.

    Call it right after `backend.start`: JAX finds its hosts before its first array is made.

    Args:
        devices: "one", Keras' default device, changes nothing. "all": every device of this
            host; of several hosts under JAX, where KERAS_DISTRIBUTION_* name them.

    Returns:
        The share of this process.

    Raises:
        InputError: The environment names hosts in part, falsely, or where one device or
            TensorFlow is to train; or the hosts differ in their number of devices.

    Source:
        https://keras.io/api/distribution/initialize,
        https://www.tensorflow.org/api_docs/python/tf/distribute/MirroredStrategy
    """
    named = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
    if named:
        _require_hosts(named, devices)
        keras.distribution.initialize()
    if devices == "all" and keras.backend.backend() == "jax":
        _start_jax()
    elif devices == "all" and not tf.distribute.has_strategy():
        _start_tensorflow()
    return current()


def current() -> Share:
    """Tell the share of this process in networks that are built now."""
    spread = keras.distribution.distribution()
    if spread is None:
        return Share(tf.distribute.get_strategy().num_replicas_in_sync)
    return Share(spread.num_model_replicas, spread.num_processes, spread.data_shard_id)


def require_same(text: str, must: str) -> None:
    """Stop all processes unless they agree.

    Args:
        text: What this process has found; at most 200 bytes.
        must: What all must be, for the message.

    Raises:
        InputError: A process has found something else.
    """
    found = _everyone(text)
    if len(set(found)) > 1:
        listed = "; ".join(f"process {i}: {said}" for i, said in enumerate(found))
        raise InputError(f"all processes must {must}. Got {listed}.")


def joined(scores: np.ndarray, n_lesions: int) -> np.ndarray:
    """Join what the processes have scored.

    Args:
        scores: Of the lesions of `Share.rows`, in their order; float32 is kept exactly.
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
    """Make a network score on this process's devices, each its part of the batch.

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


def _require_hosts(named: dict[str, str], devices: str) -> None:
    for name in _VARIABLES:
        if name not in named:
            raise InputError(f"{', '.join(named)} must come with {name}. It is not set.")
    if devices == "one" or keras.backend.backend() != "jax":
        raise InputError(
            f"params.yaml: where {_COUNT} is set, keras must have devices: all and backend: jax. "
            f"Got devices: {devices} and backend: {keras.backend.backend()}."
        )
    n_processes = _whole_number(_COUNT, at_least=1, below=None)
    _whole_number(_ID, at_least=0, below=n_processes)
    addresses = named[_ADDRESSES].split(",")
    if len(addresses) not in (1, n_processes) or not all(":" in each for each in addresses):
        raise InputError(
            f"{_ADDRESSES} must be HOST:PORT of process 0, or of each of the {n_processes} "
            f"processes with commas between. Got {named[_ADDRESSES]!r} instead."
        )


def _whole_number(name: str, *, at_least: int, below: int | None) -> int:
    value = os.environ[name]
    within = "" if below is None else f" and below {below}"
    if not value.isdecimal() or int(value) < at_least or (below and int(value) >= below):
        raise InputError(
            f"{name} must be a whole number from {at_least}{within}. Got {value!r} instead."
        )
    return int(value)


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
    """Tell all processes what this one says, and hear each, in their order."""
    if current().n_processes == 1:
        return [text]
    said = np.zeros(200, np.uint8)
    said[: len(text.encode())] = np.frombuffer(text.encode(), np.uint8)
    return [row.tobytes().rstrip(b"\0").decode() for row in _gathered(said)]


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
