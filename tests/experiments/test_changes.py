"""experiments.changes: what DVC says of two commits, in a clone that has none of their data."""

import json
import shutil

import pytest
from tests import two_commits

from skinlesion.errors import InputError
from skinlesion.experiments import changes
from skinlesion.experiments.changes import Change, Metric

pytest_plugins = ["tests.clones"]


# === Commits ===


def test_a_pull_request_is_compared_with_where_it_left_the_base(clone, pair):
    base, left = two_commits.shell(clone, "git rev-parse origin/main origin/main~1").split()

    assert pair == (left, two_commits.shell(clone, "git rev-parse HEAD").strip())
    assert base not in pair


def test_a_base_that_the_clone_does_not_hold_is_refused(clone):
    with pytest.raises(InputError, match=r"origin/nowhere must be .* Is the clone shallow\?"):
        changes.commits("origin/nowhere", clone)


# === Out of date ===


def test_nothing_is_out_of_date_where_dvc_lock_is_that_of_the_last_run(clone):
    assert changes.stale(clone) == []
    assert not (clone / "predictions").exists()


OUT_OF_DATE = {
    "a param": (("params.yaml", "sharpness: 0.5", "sharpness: 0.7"), ["predict"]),
    "a command": (("dvc.yaml", "cp -r drawn/plots", "cp -rf drawn/plots"), ["evaluate"]),
    "code": (("drawn/report.html", "0.5", "0.7"), ["evaluate"]),
    "a metric that was edited by hand": (("metrics/evaluation.json", "0.", "1."), ["evaluate"]),
    "a stage that never ran": (("dvc.lock", "  evaluate:", "  other:"), ["evaluate"]),
}


@pytest.mark.parametrize("what", OUT_OF_DATE)
def test_what_changed_since_the_last_run_names_its_stage(own, what):
    change, expected = OUT_OF_DATE[what]
    two_commits.edit(own, *change)

    assert changes.stale(own) == expected


def test_what_is_no_pipeline_is_refused(own):
    two_commits.edit(own, "dvc.yaml", "stages:", "stages: [")

    with pytest.raises(InputError, match=r"must be a pipeline\. .*dvc\.yaml"):
        changes.stale(own)


# === On the remote ===


def test_all_that_was_pushed_is_on_the_remote(clone):
    assert changes.not_in_remote(clone) == []


def test_a_file_of_a_folder_that_was_not_pushed_is_named(own, origin, tmp_path):
    remote = shutil.copytree(origin.parent / "remote", tmp_path / "remote")
    (own / ".dvc/config.local").write_text(f"['remote \"team\"']\n    url = {remote}\n")
    lost = two_commits.shell(origin, "git show worse:drawn/predictions/oof.csv | md5sum")
    (remote / "files/md5" / lost[:2] / lost[2:32]).unlink()

    assert changes.not_in_remote(own) == ["predictions/oof.csv"]


# === Metrics and params ===


def test_all_metrics_are_compared_in_the_order_of_their_names(clone, pair):
    before, after = (
        json.loads(changes.read("metrics/evaluation.json", commit, clone)) for commit in pair
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


def test_the_graph_is_mermaid_and_shows_every_stage(clone):
    text = changes.graph(clone)

    assert text.startswith("```mermaid\n")
    assert text.endswith("\n```")
    assert '"predict"' in text
    assert '"evaluate"' in text


# === Files ===


@pytest.mark.parametrize(("commit", "expected"), [(0, b"<p>2.0</p>"), (1, b"<p>0.5</p>")])
def test_a_file_is_read_as_it_was_from_the_remote(clone, pair, commit, expected):
    assert changes.read("metrics/report.html", pair[commit], clone) == expected


@pytest.mark.parametrize("path", ["metrics/none.html", "predictions/holdout.csv"])
def test_a_file_that_can_be_had_nowhere_is_an_error_that_names_it(own, pair, path):
    (own / ".dvc/config.local").unlink()

    with pytest.raises(InputError, match=rf"{path} of {pair[0][:7]} must be in git or on the"):
        changes.read(path, pair[0], own)
