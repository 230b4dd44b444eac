"""scoring.onnx_file: the same network, the same bytes in any process, the same logits."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from skinlesion.errors import InputError
from skinlesion.network import model
from skinlesion.scoring import conversion, litert, onnx_file

pytestmark = pytest.mark.usefixtures("keras_started")
DIGEST = """
import hashlib, sys
from skinlesion.network import backend, model
backend.start(backend.Params(backend="tensorflow", precision="float32", seed=0))
from skinlesion.scoring import conversion, onnx_file
plan = model.Architecture.model_validate_json(sys.argv[1])
network = conversion.with_features(model.logits_of(model.build(plan)))
print(hashlib.sha256(onnx_file.content(network)).hexdigest())
"""


def test_the_logits_are_those_of_litert(architecture):
    network = conversion.with_features(model.logits_of(model.build(architecture())))
    rng = np.random.default_rng(0)
    inputs = {"image": rng.integers(0, 256, (9, 32, 32, 3), np.uint8)}
    inputs["tabular"] = rng.normal(size=(9, 2)).astype(np.float32)
    logits = litert.Network(conversion.litert(network)).run(inputs, 9)[:, :1]
    content = onnx_file.content(network)

    assert onnx_file.apart(content, inputs, logits) < 1e-5
    assert onnx_file.apart(content, inputs, logits + 1) == pytest.approx(1, abs=1e-5)


def test_two_processes_write_the_same_bytes(architecture):
    """The converter goes through sets, whose order changes from process to process."""
    text = architecture().model_dump_json()
    root = str(Path(onnx_file.__file__).parents[2])
    digests = set()
    for seed in ("1", "2"):
        env = os.environ | {"PYTHONPATH": root, "PYTHONHASHSEED": seed}
        line = [sys.executable, "-c", DIGEST, text]
        digests.add(subprocess.check_output(line, env=env, text=True, stderr=subprocess.DEVNULL))

    assert len(digests) == 1
    assert len(digests.pop().strip()) == len(hashlib.sha256().hexdigest())


def test_without_the_packages_the_param_is_refused(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"export\.onnx must be false where tf2onnx is not"):
        onnx_file.require(wanted=True)

    onnx_file.require(wanted=False)
