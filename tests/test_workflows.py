""".github/workflows and .gitlab-ci.yml: nobody gets more than is due, and the steps do run.

The steps are run in order in a scratch clone, as the two forges run them, without network.
"""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from tests import two_commits
from tests.loopback_forge import BOT, TOKEN_OWNER, serving

pytest_plugins = ["tests.clones"]

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / ".github/workflows").glob("*.yml"))
WORKFLOWS = {path.stem: YAML(typ="safe").load(path) for path in FILES}
GITLAB = YAML(typ="safe").load(ROOT / ".gitlab-ci.yml")
JOBS = [(name, job) for name, w in WORKFLOWS.items() for job in w["jobs"].values()]
STEPS = [(name, step) for name, job in JOBS for step in job["steps"]]
EACH_FILE = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
EACH_WORKFLOW = pytest.mark.parametrize("name", WORKFLOWS)
EACH_JOB = pytest.mark.parametrize(("name", "job"), JOBS)
EACH_STEP = pytest.mark.parametrize(("name", "step"), STEPS)
NOT_RUN = {
    "make .venv/installed",  # needs the network: this environment stands in its place
    "make test",  # runs this test, and all others
}


# === What the workflows may do ===


def test_zizmor_finds_nothing_but_the_event_that_is_meant_to_be_there():
    ran = subprocess.run(
        [Path(sys.executable).parent / "zizmor", "--offline", "--no-progress", *FILES],
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout
    assert "No findings to report" in ran.stdout
    assert re.findall(r"zizmor: ignore\[.*?\]", "".join(path.read_text() for path in FILES)) == [
        "zizmor: ignore[dangerous-triggers]"
    ]


@pytest.mark.parametrize(
    ("schema", "files"),
    [("vendor.github-workflows", FILES), ("vendor.gitlab-ci", [ROOT / ".gitlab-ci.yml"])],
)
def test_the_files_are_of_the_form_that_the_forge_asks_for(schema, files):
    ran = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *files],
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout


@EACH_FILE
def test_every_action_is_pinned_to_a_commit_and_says_its_version(path):
    uses = [line for line in path.read_text().splitlines() if re.search(r"\buses:", line)]
    pinned = r" +- uses: actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+"

    assert uses
    assert all(re.fullmatch(pinned, line) for line in uses)


def test_an_action_is_of_one_version_everywhere():
    used = {step["uses"] for _, step in STEPS if "uses" in step}

    assert len(used) == len({action.split("@")[0] for action in used})


@EACH_WORKFLOW
def test_no_workflow_runs_a_pull_request_with_the_rights_of_its_base(name):
    assert "pull_request_target" not in WORKFLOWS[name]["on"]


@EACH_WORKFLOW
def test_rights_are_given_to_jobs_only_and_one_job_may_write_one_thing(name):
    rights = {
        k: v for job in WORKFLOWS[name]["jobs"].values() for k, v in job["permissions"].items()
    }

    assert WORKFLOWS[name]["permissions"] == {}
    assert {k for k, v in rights.items() if v != "read"} == (
        {"pull-requests"} if name == "comment" else set()
    )


def test_the_job_that_may_write_has_no_secret_and_no_code_of_the_pull_request():
    (job,) = WORKFLOWS["comment"]["jobs"].values()
    (checkout,) = (s for s in job["steps"] if "checkout" in s.get("uses", ""))
    (download,) = (s for s in job["steps"] if "download" in s.get("uses", ""))

    assert "secrets." not in str(job)
    assert checkout["with"] == {"persist-credentials": False}  # no ref: the default branch
    assert download["with"]["path"] == "${{ runner.temp }}/comment"


@EACH_JOB
def test_every_job_ends_in_time(name, job):
    assert 0 < job["timeout-minutes"] <= 60
    assert WORKFLOWS[name]["concurrency"]["group"].startswith("${{ github.workflow }}-${{ ")


@EACH_STEP
def test_no_text_from_outside_is_pasted_into_a_script(name, step):
    assert "${{" not in step.get("run", "")


@EACH_STEP
def test_no_checkout_leaves_a_token_behind(name, step):
    if step.get("uses", "").startswith("actions/checkout@"):
        assert step["with"]["persist-credentials"] is False


def test_comments_are_made_of_the_reports():
    assert WORKFLOWS["comment"]["on"]["workflow_run"]["workflows"] == [WORKFLOWS["report"]["name"]]


# === Whether the steps run ===


@dataclass
class Machine:
    """A runner of GitHub: it runs the steps of a job, and keeps the artifacts between jobs."""

    origin: Path
    folder: Path
    branch: str
    secret: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    said: str = ""

    @property
    def artifacts(self) -> Path:
        return self.folder / "artifacts"

    def run(self, workflow: str) -> dict[str, int]:
        """Run a workflow's only job until a step fails: the exit code of each step by name."""
        (job,) = WORKFLOWS[workflow]["jobs"].values()
        codes: dict[str, int] = {}
        for step in job["steps"]:
            if "uses" in step:
                getattr(self, step["uses"].split("@")[0].replace("actions/", "").replace("-", "_"))(
                    workflow, {k: self.filled(v) for k, v in step.get("with", {}).items()}
                )
            elif step["run"] not in NOT_RUN:
                given = job.get("env", {}) | step.get("env", {})
                codes[step["name"]] = self.script(workflow, step["run"], given)
                if codes[step["name"]]:
                    break
        return codes

    def script(self, workflow: str, script: str, given: dict) -> int:
        clone = self.folder / workflow
        filled = {k: self.filled(v) for k, v in given.items()}
        ran = subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=clone,
            env=two_commits.environment(clone) | self.environment | filled,
            capture_output=True,
            text=True,
        )
        self.said += ran.stdout + ran.stderr
        return ran.returncode

    def filled(self, value: object) -> str:
        known = {
            "github.base_ref": "main",
            "github.event.workflow_run.id": "17",
            "github.repository": "team/lesions",
            "github.run_id": "17",
            "github.server_url": "https://forge.example",
            "github.token": "secret",
            "runner.temp": str(self.folder / "temp"),
            "secrets.DVC_CONFIG_LOCAL": self.secret,
            "secrets.DVC_CONFIG_LOCAL != '' && '--remote' || '--no-remote'": (
                "--remote" if self.secret else "--no-remote"
            ),
        }
        return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: known[found[1]], str(value))

    # The actions that the workflows use, as far as they use them.

    def checkout(self, workflow: str, given: dict[str, str]) -> None:
        folder, depth = self.folder / workflow, int(given.get("fetch-depth", 1))
        shallow = "" if depth == 0 else f"--depth {depth}"
        line = f"git clone --quiet {shallow} --branch main file://{self.origin} {folder}"
        two_commits.shell(self.folder, line)
        if WORKFLOWS[workflow]["on"] == "pull_request":  # what is tested is what a merge would give
            who = "-c user.name=x -c user.email=x@y"
            merge = f"git {who} merge --quiet origin/{self.branch}"
            two_commits.shell(
                folder, f"git checkout --quiet --detach && {merge} && git branch --quiet -D main"
            )
            (folder / ".venv").symlink_to(sys.prefix)

    def setup_python(self, workflow: str, given: dict[str, str]) -> None:
        """This Python is there already."""

    def upload_artifact(self, workflow: str, given: dict[str, str]) -> None:
        source, target = self.folder / workflow / given["path"], self.artifacts / given["name"]
        target.mkdir(parents=True)
        for path in [source] if source.is_file() else source.iterdir():
            shutil.copy(path, target)

    def download_artifact(self, workflow: str, given: dict[str, str]) -> None:
        shutil.copytree(self.artifacts / given["name"], given["path"])


def commented(machine: Machine, owner: str) -> str:
    """Run the workflow that posts, against a forge on this machine; return the comment."""
    event = {
        "head_sha": "a" * 40,
        "head_branch": machine.branch,
        "head_repository": {"full_name": f"{owner}/lesions", "owner": {"login": owner}},
    }
    (machine.folder / "event.json").write_text(json.dumps({"workflow_run": event}))
    with serving() as forge:
        label = f"{owner}:{machine.branch}"
        forge.pulls = [{"number": 5, "label": label, "head": {"sha": "a" * 40}}]
        machine.environment |= {
            "GITHUB_API_URL": forge.address,
            "GITHUB_REPOSITORY": "team/lesions",
            "GITHUB_EVENT_PATH": str(machine.folder / "event.json"),
            "RUNNER_TEMP": str(machine.folder / "temp"),
        }
        codes = machine.run("comment")
        (text,) = forge.texts(BOT)
    assert codes == {"Post": 0}
    return text


def machine(origin: Path, folder: Path, branch: str, secret: str = "") -> Machine:
    summary = {"GITHUB_STEP_SUMMARY": str(folder / "summary.md")}
    return Machine(origin, folder, branch, secret, summary)


def test_a_worse_model_gets_a_report_a_comment_and_a_shut_gate(origin, tmp_path):
    runner = machine(origin, tmp_path, "worse", two_commits.remote(origin))
    codes = runner.run("report")
    report = (runner.artifacts / "comment/report.md").read_text()
    text = commented(runner, "team")

    assert codes == {"Remote": 0, "Report": 0, "Gate": 1}, runner.said
    assert "The holdout pAUC fell by" in runner.said
    assert sorted(path.name for path in (runner.artifacts / "report").iterdir()) == [
        "gate.txt",
        "loss-by-epoch-fold-0.png",
        "report.html",
        "report.md",
        "roc-curve.png",
    ]
    assert "**Gate: not passed.**" in report
    assert "| `tiny.sharpness` | `2.0` | `0.5` |" in report
    assert "dvc.lock is current. All of its data is on the remote." in report
    assert "(https://forge.example/team/lesions/actions/runs/17#artifacts)" in report
    assert (tmp_path / "summary.md").read_text() == report
    assert text.endswith(f"-->\n{report}")
    intervals = re.findall(r"\| holdout .*\| (\S+) \| (\S+) to (\S+) \|", report)
    assert len(intervals) == 2
    assert all(float(low) < float(change) < float(high) < 0 for change, low, high in intervals)


def test_a_fork_gets_its_report_without_credentials_and_the_comment_says_whose_it_is(
    origin, tmp_path
):
    runner = machine(origin, tmp_path, "better")
    codes = runner.run("report")
    text = commented(runner, "someone")

    assert codes == {"Remote": 0, "Report": 0, "Gate": 0}, runner.said
    assert "by a run of a fork's own code" in text
    assert "**Gate: passed.** The holdout pAUC rose by" in text
    assert "No interval of the difference: this run has no credentials" in text
    assert "Not looked at: whether its data is on the remote." in text
    assert not (runner.artifacts / "report/report.html").exists()


def gitlab(job: str, clone: Path, environment: dict[str, str]) -> None:
    lines = [line for line in GITLAB[job]["script"] if line not in NOT_RUN]
    assert lines
    ran = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(lines)],
        cwd=clone,
        env=two_commits.environment(clone) | environment,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr


def test_gitlab_runs_the_same_with_its_own_variables(origin, tmp_path):
    clone = two_commits.cloned(origin, "better", tmp_path / "clone", credentials=False)
    (clone / ".venv").symlink_to(sys.prefix)
    (tmp_path / "secret").write_text(two_commits.remote(origin))
    base = two_commits.shell(clone, "git merge-base origin/main HEAD").strip()
    with serving() as forge:
        environment = {
            "CI_API_V4_URL": forge.address,
            "CI_JOB_URL": "https://forge.example/job/17",
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
            "CI_MERGE_REQUEST_IID": "3",
            "CI_PROJECT_ID": "7",
            "DVC_CONFIG_LOCAL": str(tmp_path / "secret"),
            "GITLAB_CI": "true",
            "GITLAB_TOKEN": "secret",
        }
        for job in ("report", "comment", "gate"):
            gitlab(job, clone, environment)
        (text,) = forge.texts(TOKEN_OWNER)

    assert text.endswith((clone / "report/report.md").read_text())
    assert "**Gate: passed.** The holdout pAUC rose by" in text
    assert "All of its data is on the remote." in text
    assert "(https://forge.example/job/17/artifacts/browse/report/): report.html, roc" in text


def test_gitlab_gets_all_commits_where_two_are_compared():
    assert GITLAB["report"]["variables"]["GIT_DEPTH"] == "0"


def test_a_token_of_gitlab_is_for_branches_of_the_project_itself():
    (rule,) = GITLAB["comment"]["rules"]

    assert "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID" in rule["if"]
