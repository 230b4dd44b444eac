""".github/workflows and .gitlab-ci.yml: their own lines are run in scratch clones, without network.

A stand-in takes the place of CML. Where there is a real one on PATH, the last tests use it, too.
"""

import os
import re
import shutil
from pathlib import Path

import pytest
from tests import two_commits
from tests.loopback_forge import BOT, MARK, TOKEN_OWNER, Loopback, certificate, serving
from tests.workflows import Runner, bare, gitlab_variables, run_gitlab, stand_in

pytest_plugins = ["tests.clones"]

CML = shutil.which("cml")
NO_CML = pytest.mark.skipif(
    CML is None or shutil.which("openssl") is None, reason="there is no cml or openssl on PATH"
)


LINK_TO_A_FILE = "\n[that is there](comment.md)\n"  # which CML uploads, unless told not to


# === GitHub ===


@pytest.fixture(scope="module")
def worse(origin, tmp_path_factory) -> tuple[Runner, dict[str, int]]:
    """A runner after the report on the branch `worse`, and the exit codes; read them only."""
    return reported(origin, tmp_path_factory.mktemp("worse"), "worse", two_commits.remote(origin))


@pytest.fixture(scope="module")
def fork(origin, tmp_path_factory) -> tuple[Runner, dict[str, int]]:
    """The same of the branch `better` as that of a fork, which gets no credentials."""
    return reported(origin, tmp_path_factory.mktemp("fork"), "better", "")


def reported(origin: Path, folder: Path, branch: str, secret: str) -> tuple[Runner, dict[str, int]]:
    summary = {"GITHUB_STEP_SUMMARY": str(folder / "summary.md")}
    runner = Runner(origin, folder, branch, secret=secret, environment=summary)
    return runner, runner.run("report")


def posting(first: Runner, folder: Path, **changes) -> Runner:
    """A runner that finds the artifacts of another one, as a run after a run does."""
    shutil.copytree(first.artifacts, folder / "artifacts")
    return Runner(first.origin, folder, first.branch, **changes)


def test_a_worse_model_gets_a_report_with_its_files_and_a_gate_that_is_not_passed(worse):
    runner, codes = worse
    report = (runner.artifacts / "report/report.md").read_text()

    assert codes == {"Remote": 0, "Report": 0, "Link": 0, "Gate": 1}, runner.said
    assert "report: 6 metrics, 3 files, 1 objections\n" in runner.said
    assert "The holdout pAUC fell by" in runner.said
    assert {p.relative_to(runner.artifacts).as_posix() for p in runner.artifacts.glob("*/*")} == {
        "curves/loss-by-epoch-fold-0.png",
        "curves/roc-curve.png",
        "report.html/report.html",
        "report/report.md",
    }
    assert "**Gate: not passed.**" in report
    assert "| `tiny.sharpness` | `2.0` | `0.5` |" in report
    assert "dvc.lock is current. All of its data is on the remote." in report
    assert (runner.folder / "summary.md").read_text() == report
    intervals = re.findall(r"\| holdout .*\| (\S+) \| (\S+) to (\S+) \|", report)
    assert len(intervals) == 2
    assert all(float(low) < float(change) < float(high) < 0 for change, low, high in intervals)


def test_a_report_names_the_head_commit_and_links_its_files_by_the_artifacts_addresses(worse):
    runner, _ = worse
    report = (runner.artifacts / "report/report.md").read_text()

    assert report.startswith(f"## Report on {runner.head}, compared with ")
    assert "[report.html](https://forge.example/report.html)" in report
    assert "[roc-curve.png](https://forge.example/curves)" in report


def test_the_stages_outs_and_curves_that_changed_are_in_the_report(worse):
    report = (worse[0].artifacts / "report/report.md").read_text()

    assert "- changed: `calibrated/`, `metrics/report.html`, `metrics/train/`" in report
    assert "Changed: `evaluate`, `predict`." in report
    assert re.search(r"xychart-beta\n.*violet before, blue after", report)


def test_the_job_that_may_write_gives_cml_the_target_and_the_report_and_no_other_secret(
    worse, tmp_path
):
    runner = posting(worse[0], tmp_path, cml=stand_in(tmp_path / "cml"))
    with serving() as forge:
        runner.ask(forge)
        codes = runner.run("comment")
    *words, text_md = (tmp_path / "cml/arguments").read_text().splitlines()
    names = set((tmp_path / "cml/names").read_text().split())

    assert codes == {"Prepare": 0, "Post": 0}, runner.said
    assert words == [
        "comment",
        "update",
        "--publish=false",
        "--watermark-title=skinlesion",
        "--repo=https://forge.example/team/lesions",
        "--target=pr/5",
    ]
    assert text_md == str(tmp_path / "temp/comment/comment.md")
    assert names >= {"REPO_TOKEN", "ITERATIVE_DO_NOT_TRACK", "GIT_CONFIG_GLOBAL", "HOME"}
    assert not names & {"GITHUB_TOKEN", "DVC_CONFIG_LOCAL", "PYTHONPATH"}
    assert forge.written() == []
    report = (runner.artifacts / "report/report.md").read_text()
    assert (tmp_path / "cml/text").read_text() == report


def test_a_fork_gets_its_report_without_credentials_and_the_comment_says_whose_it_is(
    fork, tmp_path
):
    first, codes = fork
    runner = posting(first, tmp_path, owner="someone", cml=stand_in(tmp_path / "cml"))
    with serving() as forge:
        runner.ask(forge)
        posted = runner.run("comment")
    text = (tmp_path / "cml/text").read_text()

    assert codes == {"Remote": 0, "Report": 0, "Link": 0, "Gate": 0}, first.said
    assert posted == {"Prepare": 0, "Post": 0}, runner.said
    assert "by a run of a fork's own code" in text
    passed = "passed, as far as it could look: remote and interval were not"
    assert f"**Gate: {passed}.** The holdout pAUC rose by" in text
    assert f"gate: {passed}\n" in first.said
    assert "No interval of the difference: this run has no credentials" in text
    assert "Not looked at: whether its data is on the remote." in text
    assert "report.html]" not in text
    assert not (first.artifacts / "report.html").exists()


def test_nothing_is_posted_where_the_pull_request_has_a_newer_commit(worse, tmp_path):
    runner = posting(worse[0], tmp_path, cml=stand_in(tmp_path / "cml"))
    with serving() as forge:
        runner.ask(forge)
        forge.pulls[0]["head"]["sha"] = "b" * 40
        codes = runner.run("comment")

    assert codes == {"Prepare": 0}, runner.said
    assert not (runner.artifacts / "comment").exists()
    assert not (tmp_path / "cml/text").exists()


def test_nothing_is_posted_into_the_comment_of_somebody_else(worse, tmp_path):
    runner = posting(worse[0], tmp_path, cml=stand_in(tmp_path / "cml"))
    with serving() as forge:
        runner.ask(forge)
        forge.add(MARK.format("abc"), "someone")
        codes = runner.run("comment")

    assert codes == {"Prepare": 1}, runner.said
    assert "is by someone, and CML would write into it" in runner.said
    assert not (tmp_path / "cml/text").exists()


# === GitLab ===


@pytest.fixture(scope="module")
def merge_request(origin, tmp_path_factory) -> tuple[Path, dict[str, str]]:
    """A clone of `better` after the job `report`, and what GitLab told it; read it only."""
    folder = tmp_path_factory.mktemp("gitlab")
    clone = two_commits.cloned(origin, "better", folder / "clone", credentials=False)
    two_commits.install(clone)
    (folder / "secret").write_text(two_commits.remote(origin))
    base = two_commits.shell(clone, "git merge-base origin/main HEAD").strip()
    head = two_commits.shell(clone, "git rev-parse HEAD").strip()
    told = gitlab_variables(Loopback(), base, head)
    told["DVC_CONFIG_LOCAL"] = str(folder / "secret")
    code, said = run_gitlab("report", clone, two_commits.environment(clone) | told)
    assert code == 0, said
    return clone, told


def prepared(merge_request, folder: Path, forge: Loopback) -> tuple[Path, dict[str, str]]:
    """Run the job `prepare`: a folder with its artifact, as `post` finds it, and the variables."""
    clone, told = merge_request
    own = shutil.copytree(clone, folder / "own", symlinks=True)
    base, head = told["CI_MERGE_REQUEST_DIFF_BASE_SHA"], told["CI_COMMIT_SHA"]
    told = told | gitlab_variables(forge, base, head)
    code, said = run_gitlab("prepare", own, two_commits.environment(own) | told)
    assert code == 0, said
    (folder / "empty").mkdir()
    shutil.move(own / "comment.md", folder / "empty")
    return folder / "empty", told


def test_gitlab_runs_the_same_with_its_own_variables(merge_request, tmp_path):
    clone, _ = merge_request
    cml = stand_in(tmp_path / "cml")
    with serving() as forge:
        folder, told = prepared(merge_request, tmp_path, forge)
        code, said = run_gitlab("post", folder, bare(tmp_path / "home", cml) | told)
    text = (tmp_path / "cml/text").read_text()

    assert code == 0, said
    assert text == (clone / "report/report.md").read_text()
    assert text.startswith(f"## Report on {told['CI_COMMIT_SHA']}, compared with ")
    assert "**Gate: passed.** The holdout pAUC rose by" in text
    assert "All of its data is on the remote." in text
    files = "https://forge.example/job/17/artifacts/file/report"
    assert f"[report.html]({files}/report.html)" in text
    assert f"[roc-curve.png]({files}/roc-curve.png)" in text
    assert (tmp_path / "cml/arguments").read_text().splitlines() == [
        "comment",
        "update",
        "--publish=false",
        "--watermark-title=skinlesion",
        f"--repo={forge.address}/team/lesions",
        "--target=pr",
        "comment.md",
    ]
    assert "GIT_CONFIG_GLOBAL" in (tmp_path / "cml/names").read_text()
    assert forge.written() == []


def test_a_merge_request_cannot_bring_the_code_that_prepares_its_comment(merge_request, tmp_path):
    clone, told = merge_request
    own = shutil.copytree(clone, tmp_path / "own", symlinks=True)
    for name in ("src/skinlesion/experiments/prepare.py", "json.py", "skinlesion.py"):
        (own / name).write_text("raise SystemExit('my own code')")
    with serving() as forge:
        told = told | gitlab_variables(forge, "", "")
        code, said = run_gitlab("prepare", own, two_commits.environment(own) | told)

    assert (code, said) == (0, "pr\n")


# === With CML itself ===


@pytest.fixture
def outside():
    """Whatever is asked of the world outside of the forge goes here, as to a proxy."""
    with serving() as found:
        yield found


def proxy(outside: Loopback) -> dict[str, str]:
    return {name: outside.address for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy")}


@NO_CML
def test_cml_adds_one_comment_to_a_pull_request_and_updates_it(worse, tmp_path, outside):
    pem = certificate(tmp_path)
    trusted = {"NODE_EXTRA_CA_CERTS": str(pem), "SSL_CERT_FILE": str(pem)}
    with serving(pem) as forge:
        runner = posting(worse[0], tmp_path, cml=Path(str(CML)), server=forge.address)
        with (runner.artifacts / "report/report.md").open("a") as report:
            report.write(LINK_TO_A_FILE)
        runner.environment |= trusted | proxy(outside) | {"GITHUB_ACTIONS": "true"}
        runner.ask(forge)
        codes = [runner.run("comment") for _ in range(2)]
        [text] = forge.texts(BOT)

    assert codes == [{"Prepare": 0, "Post": 0}] * 2, runner.said
    assert forge.written() == ["POST", "PATCH"]
    assert text.startswith((runner.artifacts / "report/report.md").read_text())
    assert text.endswith(MARK.format(runner.environment["GITHUB_SHA"]))
    assert outside.asked == []
    assert os.listdir(tmp_path / "home") == []


@NO_CML
def test_cml_adds_one_comment_to_a_merge_request_and_updates_it(merge_request, tmp_path, outside):
    clone, _ = merge_request
    with serving() as forge:
        folder, told = prepared(merge_request, tmp_path, forge)
        with (folder / "comment.md").open("a") as comment:
            comment.write(LINK_TO_A_FILE)
        environment = bare(tmp_path / "home", Path(str(CML))) | told | proxy(outside)
        ran = [run_gitlab("post", folder, environment) for _ in range(2)]
        [text] = forge.texts(TOKEN_OWNER)

    assert [code for code, _ in ran] == [0, 0], ran
    assert forge.written() == ["POST", "PUT"]
    assert text.startswith((clone / "report/report.md").read_text())
    assert outside.asked == []
    assert os.listdir(tmp_path / "home") == []
