"""experiments.pull_request: what is let through."""

from dataclasses import replace

import pytest
from pydantic import ValidationError
from tests.pull_requests import CURRENT, PARAMS, compared, metrics

from skinlesion.experiments import pull_request, pull_request_text
from skinlesion.experiments.changes import Metric


def objections(**changes) -> list[str]:
    return pull_request.objections(replace(CURRENT, **changes), PARAMS)


def markdown(**changes) -> str:
    return pull_request_text.markdown(replace(CURRENT, **changes), PARAMS)


# === What is let through ===


def test_a_pull_request_that_changes_nothing_passes():
    assert objections() == []
    assert "**Gate: passed.**" in markdown()


OBJECTIONABLE = {
    "`dvc repro` would run `train@0`, `predict`": {"stale": ["train@0", "predict"]},
    "Not on the remote: `models/fold-0`. Run `dvc push`": {"not_in_remote": ["models/fold-0"]},
    "were there before are missing: `holdout.pauc`": {
        "metrics": metrics(0.15, None) | metrics(0.1, 0.1, of="oof")
    },
    "There is no pAUC.": {"metrics": {"holdout.auc": Metric(0.9, 0.9)}},
    "The holdout pAUC fell by 0.0200, more than the 0.005": {
        "metrics": metrics(0.15, 0.13),
        "compared": compared(-0.03, -0.01),
    },
}


@pytest.mark.parametrize("expected", OBJECTIONABLE)
def test_what_stands_in_the_way_is_said_in_a_sentence_that_is_in_the_report(expected):
    (sentence,) = objections(**OBJECTIONABLE[expected])

    assert expected in sentence
    assert "**Gate: not passed.**" in markdown(**OBJECTIONABLE[expected])
    assert f"- {sentence}\n" in markdown(**OBJECTIONABLE[expected])


def test_all_that_stands_in_the_way_is_said_at_once():
    everything = {k: v for changes in OBJECTIONABLE.values() for k, v in changes.items()}

    assert len(objections(**everything)) == 3


@pytest.mark.parametrize(
    ("after", "interval", "passes"),
    [
        (0.146, (-0.02, -0.001), True),  # within what is let through
        (0.145, (-0.02, -0.001), True),  # just so much
        (0.130, (-0.05, 0.01), True),  # further, but it may be chance
        (0.130, (-0.05, 0.0), True),
        (0.130, (-0.05, -0.001), False),
        (0.130, (None, None), False),  # nothing shows that it may be chance
        (0.200, (0.01, 0.09), True),
    ],
)
def test_a_fall_is_refused_where_it_is_large_and_not_chance(after, interval, passes):
    changes = {"metrics": metrics(0.15, after), "compared": compared(*interval)}

    assert (objections(**changes) == []) == passes


def test_without_intervals_a_large_fall_is_refused_and_the_reason_is_in_the_report():
    changes = {"metrics": metrics(0.15, 0.13), "compared": "the lesions are others."}

    (sentence,) = objections(**changes)
    assert sentence.endswith("and no interval shows that it may be chance.")
    assert "No interval of the difference: the lesions are others." in markdown(**changes)


def test_the_interval_of_the_holdout_excuses_no_other_set():
    without_holdout = {"metrics": metrics(0.15, 0.13, of="oof"), "compared": compared(-1, 1)}

    (sentence,) = objections(**without_holdout)
    assert sentence.startswith("The out-of-fold pAUC fell by 0.0200")


def test_where_both_sides_have_a_holdout_it_alone_is_judged():
    worse_out_of_fold = metrics(0.15, 0.1, of="oof") | metrics(0.15, 0.15)

    assert objections(metrics=worse_out_of_fold) == []


def test_the_first_metrics_ever_pass():
    first = {"holdout.pauc": Metric(None, 0.15)}

    assert objections(metrics=first) == []
    assert "no pAUC on both sides to compare" in markdown(metrics=first)


def test_a_metric_that_was_not_there_before_either_is_not_missed():
    assert objections(metrics=metrics(0.15, 0.15) | {"oof.pauc": Metric(None, None)}) == []


def test_data_that_could_not_be_looked_for_is_no_objection_and_is_said_not_to_be_known():
    assert objections(not_in_remote=None) == []
    assert "All of its data is on the remote." in markdown()
    assert "Not looked at: whether its data is on the remote." in markdown(not_in_remote=None)


@pytest.mark.parametrize("value", [-0.001, 1.0, float("nan")])
def test_a_limit_that_is_no_drop_of_a_pauc_is_refused(value):
    with pytest.raises(ValidationError):
        pull_request.Params(max_pauc_drop=value)


# === The verdict ===


def verdict(**changes) -> str:
    return pull_request.verdict(replace(CURRENT, **changes), PARAMS)


def test_a_verdict_says_whether_all_could_be_looked_at():
    assert verdict() == "passed"
    assert verdict(stale=["train@0"]) == "not passed"
    assert verdict(not_in_remote=None) == (
        "passed, as far as it could look: remote and interval were not"
    )
    assert verdict(not_in_remote=None, stale=["train@0"]) == "not passed"


def test_a_long_list_is_shortened_to_ten_names_and_a_count():
    (sentence,) = objections(not_in_remote=[f"tile-{i}" for i in range(1_500)])

    assert sentence.count("`tile-") == 10
    assert "`tile-9` and 1,490 more" in sentence
