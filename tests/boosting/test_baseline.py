"""boosting.baseline: 21 colour statistics and a linear model, as a file that a person can read."""

import numpy as np
import pandas as pd
import pytest

from skinlesion import metrics
from skinlesion.boosting import baseline, matrix
from skinlesion.derivation import derived, numbers, parquet, plan, tile_colour
from skinlesion.errors import InputError


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Numbers of tiles, one of which tells the classes apart, and a split."""
    folder, rng, n = tmp_path_factory.mktemp("numbers"), np.random.default_rng(0), 900
    target = (rng.random(n) < 0.1).astype(int)
    table = pd.DataFrame(
        {"isic_id": [f"ISIC_{i:07d}" for i in range(n)], "patient_id": np.arange(n) // 3}
    )
    p = plan.Params(
        base=[],
        derived=[],
        tile=["colour"],
        categorical=[],
        relative=plan.Relative(patient=[], patient_site=[], patient_location=[]),
        min_lesions=3,
    )
    tiles = {name: rng.normal(5, 3, n) for name in tile_colour.NAMES}
    tiles["tile_l_difference"] += 6 * target
    tiles["tile_a_rim_sd"][::9] = np.nan
    chosen = plan.make(p, table, table)
    found = numbers.compute(table, chosen, p, tiles=tiles)
    parquet.write(folder / "train.parquet", table, found, chosen)
    (folder / "plan.json").write_text(chosen.model_dump_json())
    folds = table.assign(target=target, fold=np.arange(n) // 3 % 3)
    folds.to_csv(folder / "folds.csv", index=False)
    return folder


def scored(folder, fitted) -> tuple[np.ndarray, np.ndarray]:
    held = pd.read_csv(folder / "folds.csv").query("fold == 0").set_index("isic_id")
    read = matrix.read(folder / "train.parquet", baseline.COLUMNS, {}, held.index)
    return held["target"].loc[read.isic_ids].to_numpy(), fitted.logits(read.values)


def test_lesions_that_were_not_learnt_from_are_ranked(folder):
    fitted = baseline.fit(0, folder / "folds.csv", folder)
    y_true, logits = scored(folder, fitted)
    assert metrics.auc(y_true, logits) > 0.75
    assert np.isfinite(logits).all()
    assert (1 / (1 + np.exp(-logits))).mean() == pytest.approx(y_true.mean(), abs=0.06)


def test_what_was_saved_scores_alike_and_fits_agree(folder, tmp_path):
    one, other = (baseline.fit(0, folder / "folds.csv", folder) for _ in range(2))
    assert one == other
    baseline.save(tmp_path, one)
    assert baseline.load(tmp_path) == one


def test_where_colours_were_not_measured_there_is_no_baseline(folder, tmp_path):
    bare = plan.load(folder).model_copy(update={"tile": []})
    (tmp_path / "plan.json").write_text(bare.model_dump_json())
    fitted = baseline.fit(0, folder / "folds.csv", tmp_path)
    baseline.save(tmp_path / "expert", baseline.fit(0, folder / "folds.csv", folder))
    baseline.save(tmp_path / "expert", fitted)
    assert fitted is None is baseline.load(tmp_path / "expert")
    assert not set(derived.BASE) & set(baseline.COLUMNS.own)


def test_a_file_of_another_kind_is_named(tmp_path):
    (tmp_path / "colour.json").write_text("{}")
    with pytest.raises(InputError, match=r"colour.json must be a baseline"):
        baseline.load(tmp_path)
