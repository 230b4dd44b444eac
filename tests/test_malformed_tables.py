"""Malformed and odd tables and params: a result or one InputError, and no lesion lost."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from tests import malformed
from tests.checking import TILE, Memory
from tests.malformed import often

from skinlesion import params
from skinlesion.dataset import metadata, partition
from skinlesion.errors import InputError
from skinlesion.evaluation import bootstrap, calibration, measurement
from skinlesion.features import anomalies, tabular
from skinlesion.preparation import check, check_features, resample
from skinlesion.synthetic import challenge_folder

ENCODE = tabular.Params(
    numeric=["age_approx", "tbp_lv_A"],
    categorical=["sex", "grade"],
    scaling="robust",
    missing="indicator",
    min_category_count=2,
)
WANTED = check_features.Wanted(ENCODE.numeric, ENCODE.categorical, "age_approx")
STORE = Memory(dict.fromkeys(malformed.IDS, TILE))
PARAMS = YAML(typ="safe").load(Path(__file__).parents[1] / "params.yaml")
T = TypeVar("T")
BLOCKS = {
    "data": metadata.Params,
    "synthesize": challenge_folder.Params,
    "split": partition.Params,
    "resample": resample.Params,
    "encode": tabular.Params,
    "measure": bootstrap.Params,
    "calibrate": calibration.Params,
    "evaluate": measurement.Params,
}


def checked(folder) -> tuple[check.Findings, dict[str, check.Part]]:
    """Check both tables of a folder, as stage check does, with tiles in memory; accept them."""
    findings, parts = check.Findings(), {}
    for name in ("train", "test"):
        table = metadata.read(folder / f"{name}-metadata.csv")
        training = name == "train"
        parts[name] = check.Part(table, f"{name}.csv", STORE, f"{name}.h5", training=training)
        check.inspect(parts[name], findings, check.Look(progress=lambda tiles, **_: tiles))
    check_features.inspect(parts, WANTED, findings)
    findings.require_none()
    return findings, parts


def attempt(action: Callable[[], T], error: type[InputError] = InputError) -> tuple[T | None, str]:
    """Return what an action gives, or the message that refuses it; anything else is raised."""
    try:
        return action(), ""
    except error as refused:
        return None, str(refused) or "no message"


def written(folder, train: bytes, test: bytes) -> None:
    for name, data in (("train", train), ("test", test)):
        (folder / f"{name}-metadata.csv").write_bytes(data)


def rows_of(data: bytes) -> int:
    """Rows of a CSV file but for its header, as Python's own reader counts those not blank."""
    file = io.StringIO(data.decode("utf-8-sig"), newline="")
    return sum(any(cell.strip() for cell in row) or len(row) > 1 for row in csv.reader(file)) - 1


def fitted(folder) -> tabular.Encoder:
    lesions = metadata.read(
        folder / "train-metadata.csv",
        columns=["isic_id", *ENCODE.numeric, *ENCODE.categorical],
        text=ENCODE.categorical,
    )
    return tabular.fit(lesions, ENCODE)


def encoded(folder, encoder: tabular.Encoder, n: int) -> np.ndarray:
    """The test half as stage predict encodes it, a piece at a time."""
    pieces = metadata.chunks(
        folder / "test-metadata.csv",
        columns=["isic_id", *encoder.columns],
        text=ENCODE.categorical,
        n_lesions=n,
    )
    return np.vstack([tabular.transform(piece, encoder) for piece in pieces])


@given(train=malformed.tables(training=True), test=malformed.tables(training=False))
@often(150)
def test_what_check_accepts_can_be_learnt_from_and_scored_to_the_last_lesion(tmp_path, train, test):
    written(tmp_path, train, test)
    found, message = attempt(lambda: checked(tmp_path))
    event("accepted" if found else message.split("table")[-1][:60])
    if found is None:
        assert "-metadata.csv" in message or message.startswith("check: the data must be whole")
        return
    findings, parts = found
    assert [len(part.table) for part in parts.values()] == [rows_of(train), rows_of(test)]
    assert check.summary(parts, findings)
    assert set(check.lesions(parts["train"])["target"]) <= {0, 1}
    encoder = fitted(tmp_path)
    assert isinstance(anomalies.said(tmp_path / "test-metadata.csv", [encoder]), str)
    matrix = encoded(tmp_path, encoder, 7)
    assert matrix.shape == (rows_of(test), len(encoder.names))
    assert np.isfinite(matrix).all()


@given(test=malformed.tables(training=False))
@often(80)
def test_a_test_table_that_was_never_checked_is_scored_whole_or_refused(tmp_path, test):
    train = malformed.right(training=True).to_csv(index=False).encode()
    written(tmp_path, train, test)
    encoder = fitted(tmp_path)
    said, message = attempt(lambda: anomalies.said(tmp_path / "test-metadata.csv", [encoder]))
    event("refused" if said is None else "scored")
    if said is None:
        assert "test-metadata.csv" in message
        return
    matrix = encoded(tmp_path, encoder, 5)
    assert len(matrix) == rows_of(test)
    assert np.isfinite(matrix).all()


@pytest.mark.parametrize("name", BLOCKS)
@given(data=st.data())
@often(8)
def test_odd_params_are_a_block_or_an_error_that_names_it(tmp_path, name, data):
    block = data.draw(malformed.blocks(block=PARAMS[name]))
    path = tmp_path / "params.yaml"
    with path.open("w") as file:
        YAML(typ="safe").dump({name: block}, file)
    loaded, message = attempt(lambda: params.load(name, BLOCKS[name], path), params.ParamsError)
    assert isinstance(loaded, BLOCKS[name]) or message.startswith(f"{path}: {name}")


def test_the_right_table_is_right(tmp_path):
    """Else the others would only show that everything is refused."""
    halves = [malformed.right(training=t).to_csv(index=False).encode() for t in (True, False)]
    written(tmp_path, *halves)
    findings, _ = checked(tmp_path)
    assert not findings.errors
    assert not findings.warnings
    assert isinstance(encoded(tmp_path, fitted(tmp_path), 7), np.ndarray)
    assert len(pd.read_csv(io.BytesIO(halves[0]))) == malformed.N
