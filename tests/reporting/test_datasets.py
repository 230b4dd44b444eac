"""reporting.datasets: what a table need not have is not asked for."""

from tests import report_files

from skinlesion.reporting.datasets import Data, Shift


def test_a_test_set_without_patients_and_rows_without_licences_are_fine():
    given = report_files.data()
    del given["train"]["licences"], given["train"]["attributions"]
    found = Data.model_validate(given)
    assert found.test.n_patients is None
    assert found.train.licences == {}


def test_a_shift_without_a_holdout_is_fine():
    given = report_files.shift()
    given["sets"].pop("holdout", None)
    assert list(Shift.model_validate(given).sets) == ["test"]
