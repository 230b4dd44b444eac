"""Fixtures of the tests of the report."""

import pytest
from tests import report_files


@pytest.fixture
def files(tmp_path):
    """The files of a report, to be spoilt."""
    folder = tmp_path / "files"
    report_files.write(folder, n_folds=2)
    return folder
