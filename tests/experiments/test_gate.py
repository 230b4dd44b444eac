"""experiments.gate: a pull request passes where its report has no objection."""

import pytest

from skinlesion.errors import InputError
from skinlesion.experiments import gate


def test_the_verdict_says_how_far_a_report_could_look(tmp_path):
    gate.write(tmp_path, "passed, as far as it could look", [])

    assert gate.passed(tmp_path) == "passed, as far as it could look"


def test_objections_are_all_in_the_message(tmp_path):
    gate.write(tmp_path, "not passed", ["The pAUC fell.", "Not on the remote."])
    with pytest.raises(InputError, match=r"not pass\.\nThe pAUC fell\.\nNot on the remote\."):
        gate.passed(tmp_path)


@pytest.mark.parametrize("text", [None, "{", "[]", '{"verdict": "passed"}'])
def test_without_a_report_nothing_passes(tmp_path, text):
    if text is not None:
        (tmp_path / gate.NAME).write_text(text)
    with pytest.raises(InputError, match=r"must hold the gate\.json of a report\."):
        gate.passed(tmp_path)
