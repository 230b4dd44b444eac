"""evaluation.output: what was measured is written whole, and equal to the byte each time."""

import json

import pandas as pd
import pytest

from skinlesion.evaluation import output

AREA = {"value": 0.15, "low": 0.12, "high": None}
DETAILS = {"sets": {"oof": {"ranking": {"pauc": AREA, "auc": AREA}}}}
CURVES = {"oof": {"roc": pd.DataFrame({"fpr": [0.0, 1 / 3], "tpr": [0.5, 1.0]})}}


@pytest.fixture
def files(tmp_path):
    return output.Files(tmp_path / "a/e.json", tmp_path / "b/d.json", tmp_path / "c/plots")


def test_the_headline_the_details_and_a_table_per_curve_are_written(files):
    output.write(files, DETAILS, CURVES)

    assert json.loads(files.evaluation.read_text()) == {
        "oof": {"pauc": 0.15, "pauc_low": 0.12, "auc": 0.15}
    }
    assert json.loads(files.details.read_text()) == DETAILS
    assert [path.name for path in files.plots.iterdir()] == ["oof_roc.csv"]
    written = pd.read_csv(files.plots / "oof_roc.csv")
    pd.testing.assert_frame_equal(written, CURVES["oof"]["roc"], rtol=1e-5)


def test_a_figure_that_is_not_finite_is_never_written(files):
    """JSON has no word for it, and whoever reads the file would fail."""
    spoilt = {"sets": {}, "min_tpr": float("nan")}
    with pytest.raises(ValueError, match="not JSON compliant"):
        output.write(files, spoilt, {})
