"""reporting.statements: limits follow from what was measured, and on how many cancers."""

import pytest
from tests import report_files

from skinlesion.reporting import statements
from skinlesion.reporting.details import Details


def details(**changes) -> Details:
    given = report_files.details()
    given["sets"][given["primary"]] |= changes
    return Details.model_validate_json(_json(given))


def _json(given: dict) -> str:
    import json

    return json.dumps(given)


@pytest.mark.parametrize(("n", "said"), [(49, True), (50, False)])
def test_few_cancers_are_said_to_be_few(n, said):
    found = statements.limits(details(n_positives=n), n_folds=1)

    assert any(f"{n} cancers are few" in limit for limit in found) == said


def test_the_mean_of_several_models_is_named_where_there_are_several():
    one, five = (statements.limits(details(n_positives=90), n_folds=n) for n in (1, 5))

    assert not any("mean of" in limit for limit in one)
    assert any("are used on the mean of 5 models" in limit for limit in five)


def test_no_limit_keeps_the_mark_of_a_gap():
    assert not any("{" in limit for limit in statements.limits(details(), n_folds=3))
