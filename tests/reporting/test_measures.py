"""reporting.measures: what was measured comes as it is, and what is not shown is left alone."""

from tests import report_files

from skinlesion.reporting.measures import Scored

UNDEFINED = {"value": None, "low": None, "high": None}


def test_values_come_as_they_are_and_what_is_not_shown_is_left_alone():
    given = report_files.details()["sets"]["holdout"]
    found = Scored.model_validate(given | {"extra": 1})
    assert found.ranking == given["ranking"]
    assert found.subgroups.groups[2].sensitivity == UNDEFINED
    assert not hasattr(found, "extra")


def test_measures_of_before_there_were_members_and_uncertainty_are_read():
    given = report_files.details()["sets"]["holdout"]
    del given["members"], given["uncertainty"]
    found = Scored.model_validate(given)
    assert found.members.rows == []
    assert found.uncertainty is None
