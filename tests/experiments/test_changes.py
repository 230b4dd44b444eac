"""experiments.changes: what differs between two commits, in a clone that has none of their data."""

import json

import pytest
from tests import two_commits

from skinlesion.errors import InputError
from skinlesion.experiments import changes, checkout
from skinlesion.experiments.changes import Change, Metric

pytest_plugins = ["tests.clones"]


def test_all_metrics_are_compared_in_the_order_of_their_names(clone, pair):
    before, after = (
        json.loads(checkout.read("metrics/evaluation.json", commit, clone)) for commit in pair
    )
    found = changes.metrics(*pair, clone)

    assert list(found) == sorted(found)
    assert found.keys() == {f"{of}.{name}" for of in before for name in before[of]}
    assert found["oof.auc"] == (before["oof"]["auc"], after["oof"]["auc"])
    assert found["oof.auc"].difference == after["oof"]["auc"] - before["oof"]["auc"]


@pytest.mark.parametrize("text", ['{"holdout": {"auc": NaN}, "oof": {"auc": "high"}}', "{", None])
def test_what_is_no_number_is_a_metric_that_is_missing(own, pair, text):
    (own / "metrics/evaluation.json").unlink()
    if text is not None:
        (own / "metrics/evaluation.json").write_text(text)
    two_commits.commit(own, "spoilt")
    found = changes.metrics(pair[0], "HEAD", own)

    assert found.keys() >= {"holdout.auc", "oof.auc", "holdout.pauc"}
    assert all(m.before is not None and m.after is None for m in found.values())
    assert all(m.difference is None for m in found.values())


def test_a_difference_needs_both_values():
    assert Metric(0.5, 0.75).difference == 0.25
    assert Metric(None, 0.75).difference is None
    assert Metric(0.0, None).difference is None


def test_params_that_did_not_change_are_left_out(clone, pair):
    assert changes.params(*pair, clone) == {"tiny.sharpness": Change(2.0, 0.5)}


def test_a_commit_that_does_not_exist_is_an_error_in_the_words_of_dvc(clone, pair):
    with pytest.raises(InputError, match=r"`dvc params diff .* unknown Git revision 'nowhere'"):
        changes.params(pair[0], "nowhere", clone)


# === Outs ===


def test_outs_that_differ_are_listed_without_what_is_in_their_folders(own, pair):
    expected = ["calibrated/", "metrics/report.html", "metrics/train/"]
    assert changes.outs(*pair, own) == {"added": [], "changed": expected, "removed": []}

    two_commits.shell(own, "dvc fetch --quiet --all-commits")  # DVC then knows the files, too
    assert changes.outs(*pair, own) == {"added": [], "changed": expected, "removed": []}


def test_outs_that_are_new_gone_or_renamed_are_told_apart(own):
    two_commits.edit(own, "dvc.lock", "path: metrics/report.html", "path: metrics/page.html")
    two_commits.edit(own, "dvc.yaml", "- metrics/report.html", "- metrics/page.html")
    two_commits.commit(own, "renamed")
    found = changes.outs("HEAD~1", "HEAD", own)

    assert found == {
        "added": ["metrics/page.html"],
        "changed": [],
        "removed": ["metrics/report.html"],
    }


def test_no_out_differs_from_itself(clone, pair):
    assert not any(changes.outs(pair[1], pair[1], clone).values())
