"""network.backend: Keras starts on the backend that was asked for, and always alike."""

import os
import random
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import get_args

import keras
import numpy as np
import pytest
import tensorflow as tf
from tests.process import changed

from skinlesion import network
from skinlesion.errors import InputError
from skinlesion.network import backend

ROOT = Path(__file__).parents[2]
PARAMS = {"backend": "tensorflow", "precision": "float32", "seed": 5}
WITHOUT_TORCH = """
from importlib import util
installed = util.find_spec
util.find_spec = lambda name, *of: None if name == "torch" else installed(name, *of)
"""
LIGHT_STAGES = ("synthesize", "check", "split", "resample", "encode", "evaluate")


def python(code: str, **variables: str) -> subprocess.CompletedProcess:
    given = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"} | variables
    return subprocess.run(
        [sys.executable, "-c", code], env=os.environ | given, capture_output=True, text=True
    )


def test_a_backend_that_is_not_installed_is_named_with_the_remedy():
    found = python(WITHOUT_TORCH + "import skinlesion.network", KERAS_BACKEND="torch")

    assert found.returncode == 1
    assert found.stderr == (
        "error: KERAS_BACKEND, the keras.backend of params.yaml, must be installed. "
        "Got 'torch', which is not: pip install torch\n"
    )


def test_a_backend_that_keras_does_not_have_is_told_from_one_that_is_not_installed():
    found = python("import skinlesion.network", KERAS_BACKEND="tensorflw")

    assert found.returncode == 1
    assert found.stderr == (
        "error: KERAS_BACKEND, the keras.backend of params.yaml, must be one of "
        "tensorflow, jax, torch. Got 'tensorflw' instead.\n"
    )


def test_another_backend_than_that_of_the_params_is_refused():
    expected = r"KERAS_BACKEND must be jax, .* when Keras is imported\. Got 'tensorflow' instead"
    with pytest.raises(InputError, match=expected):
        backend.start(backend.Params(**PARAMS | {"backend": "jax"}))


def test_the_backends_are_those_of_the_params():
    assert get_args(backend.Params.model_fields["backend"].annotation) == network.BACKENDS


def test_a_backend_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="'tensorflow', 'jax' or 'torch'"):
        backend.Params(**PARAMS | {"backend": "theano"})


def test_torch_on_all_devices_is_refused():
    with pytest.raises(ValueError, match="devices: one where backend is torch"):
        backend.Params(**PARAMS | {"backend": "torch", "devices": "all"})


def drawn_after_start(seed: int) -> list[float]:
    backend.start(backend.Params(**PARAMS | {"seed": seed}))
    return [*np.asarray(keras.random.uniform((2,))), np.random.rand(), random.random()]


def test_starting_anew_gives_the_same_random_numbers():
    assert drawn_after_start(1) == drawn_after_start(1)


def test_another_seed_gives_other_random_numbers():
    assert not set(drawn_after_start(1)) & set(drawn_after_start(2))


def test_operations_are_deterministic_or_an_error():
    backend.start(backend.Params(**PARAMS))
    with pytest.raises(RuntimeError, match="determinism"):
        tf.random.Generator.from_non_deterministic_state()


def test_jax_is_deterministic_on_gpus_and_keeps_the_users_flags():
    code = (
        "from skinlesion.network import backend\n"
        "import keras, os\n"
        f"p = backend.Params(**{PARAMS | {'backend': 'jax'}})\n"
        "for given in ({}, {'XLA_FLAGS': '--xla_cpu_enable_fast_math=false'}):\n"
        "    os.environ.pop('XLA_FLAGS', None)\n"
        "    os.environ.update(given)\n"
        "    for _ in range(2):\n"
        "        backend.start(p)\n"
        "    print(os.environ['XLA_FLAGS'])\n"
        "keras.ops.ones(1)"  # XLA, which reads them now, refuses a flag that it does not know
    )
    found = python(code, KERAS_BACKEND="jax")
    added = "--xla_gpu_deterministic_ops=true"
    expected = [added, f"--xla_cpu_enable_fast_math=false {added}"]

    assert (found.stdout.splitlines(), found.returncode) == (expected, 0), found.stderr


def test_torch_is_deterministic(monkeypatch):
    said, torch = [], ModuleType("torch")
    torch.use_deterministic_algorithms = lambda *args, **given: said.append((args, given))
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setattr(backend, "os", changed(os, environ={}))
    backend._make_torch_deterministic()

    assert said == [((True,), {"warn_only": True})]
    assert backend.os.environ == {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"}


def test_precision_is_the_policy_of_new_layers():
    try:
        backend.start(backend.Params(**PARAMS | {"precision": "mixed_bfloat16"}))

        assert keras.layers.Dense(1).compute_dtype == "bfloat16"
    finally:
        backend.start(backend.Params(**PARAMS))


def test_starting_writes_nothing():
    code = (
        "from skinlesion.network import backend;"
        f"backend.start(backend.Params(**{PARAMS}));"
        "import os; print(os.environ['KERAS_BACKEND'])"
    )
    found = python(code)

    assert (found.stdout, found.stderr, found.returncode) == ("tensorflow\n", "", 0)


def test_stages_without_a_network_load_no_tensorflow():
    code = (
        "import importlib, sys\n"
        f"for name in {LIGHT_STAGES}:\n"
        "    importlib.import_module(f'stages.{name}')\n"
        "    heavy = sys.modules.keys() & {'tensorflow', 'keras', 'keras_cv', 'dvclive'}\n"
        "    assert not heavy, (name, heavy)\n"
    )
    found = python(code)

    assert found.returncode == 0, found.stderr
