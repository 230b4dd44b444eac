"""experiments.checkout: what git and DVC say of a clone that has none of its data."""

import shutil

import pytest
from tests import two_commits

from skinlesion.errors import InputError
from skinlesion.experiments import checkout

pytest_plugins = ["tests.clones"]


# === Commits ===


def test_a_pull_request_is_compared_with_where_it_left_the_base(clone, pair):
    base, left = two_commits.shell(clone, "git rev-parse origin/main origin/main~1").split()

    assert pair == (left, two_commits.shell(clone, "git rev-parse HEAD").strip())
    assert base not in pair


def test_a_base_that_the_clone_does_not_hold_is_refused(clone):
    with pytest.raises(InputError, match=r"origin/nowhere must be .* Is the clone shallow\?"):
        checkout.commits("origin/nowhere", clone)


@pytest.mark.parametrize("name", ["HEAD", "worse", "origin/worse"])
def test_a_commit_is_known_by_its_names(clone, pair, name):
    assert checkout.commit(name, clone) == pair[1]


@pytest.mark.parametrize("name", ["nowhere", "--all", "HEAD:params.yaml"])
def test_what_is_no_commit_is_refused(clone, name):
    with pytest.raises(InputError, match=rf"^{name} must be a commit of this clone\."):
        checkout.commit(name, clone)


# === Out of date ===


def test_nothing_is_out_of_date_where_dvc_lock_is_that_of_the_last_run(clone):
    assert checkout.stale(clone) == []
    assert not (clone / "calibrated").exists()


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

    assert checkout.stale(own) == expected


def test_what_is_no_pipeline_is_refused(own):
    two_commits.edit(own, "dvc.yaml", "stages:", "stages: [")

    with pytest.raises(InputError, match=r"must be a pipeline\. .*dvc\.yaml"):
        checkout.stale(own)


# === On the remote ===


def test_all_that_was_pushed_is_on_the_remote(clone):
    assert checkout.not_in_remote(clone) == []


def test_a_file_of_a_folder_that_was_not_pushed_is_named(own, origin, tmp_path):
    remote = shutil.copytree(origin.parent / "remote", tmp_path / "remote")
    (own / ".dvc/config.local").write_text(f"['remote \"team\"']\n    url = {remote}\n")
    lost = two_commits.shell(origin, "git show worse:drawn/calibrated/oof.csv | md5sum")
    (remote / "files/md5" / lost[:2] / lost[2:32]).unlink()

    assert checkout.not_in_remote(own) == ["calibrated/oof.csv"]


# === Files ===


@pytest.mark.parametrize(("commit", "expected"), [(0, b"<p>2.0</p>"), (1, b"<p>0.5</p>")])
def test_a_file_is_read_as_it_was_from_the_remote(clone, pair, commit, expected):
    assert checkout.read("metrics/report.html", pair[commit], clone) == expected


@pytest.mark.parametrize("path", ["metrics/none.html", "calibrated/holdout.csv"])
def test_a_file_that_can_be_had_nowhere_is_an_error_that_names_it(own, pair, path):
    (own / ".dvc/config.local").unlink()

    with pytest.raises(InputError, match=rf"{path} of {pair[0][:7]} must be in git or on the"):
        checkout.read(path, pair[0], own)
