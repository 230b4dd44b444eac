""".github/workflows and .gitlab-ci.yml: nobody gets more than is due."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.workflows import FILES, GITLAB, GITLAB_CI, ROOT, WORKFLOWS

JOBS = [(f"{w}.{j}", job) for w, flow in WORKFLOWS.items() for j, job in flow["jobs"].items()]
STEPS = [(name, step) for name, job in JOBS for step in job["steps"]]
POST = WORKFLOWS["comment"]["jobs"]["post"]
TEXTS = {path.name: path.read_text() for path in [*FILES, GITLAB_CI]}
EACH_FILE = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
EACH_WORKFLOW = pytest.mark.parametrize("name", WORKFLOWS)
EACH_JOB = pytest.mark.parametrize(("name", "job"), JOBS)
EACH_STEP = pytest.mark.parametrize(("name", "step"), STEPS)


def test_zizmor_finds_nothing_but_the_event_that_is_meant_to_be_there():
    ran = subprocess.run(
        [Path(sys.executable).parent / "zizmor", "--offline", "--no-progress", *FILES],
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout
    assert "No findings to report" in ran.stdout
    assert re.findall(r"zizmor: ignore\[.*?\]", "".join(TEXTS.values())) == [
        "zizmor: ignore[dangerous-triggers]"
    ]


@pytest.mark.parametrize(
    ("schema", "files"),
    [("vendor.github-workflows", FILES), ("vendor.gitlab-ci", [GITLAB_CI])],
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
    pinned = r" +- uses: (actions|iterative)/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+"

    assert uses
    assert all(re.fullmatch(pinned, line) for line in uses)


def test_an_action_is_of_one_version_everywhere():
    used = {step["uses"] for _, step in STEPS if "uses" in step}

    assert len(used) == len({action.split("@")[0] for action in used})


@EACH_WORKFLOW
def test_no_workflow_runs_a_pull_request_with_the_rights_of_its_base(name):
    assert "pull_request_target" not in WORKFLOWS[name]["on"]


@EACH_WORKFLOW
def test_a_workflow_gives_no_rights_to_all_of_its_jobs(name):
    assert WORKFLOWS[name]["permissions"] == {}


@EACH_JOB
def test_one_job_may_write_comments_and_nothing_else_and_all_others_only_read(name, job):
    if name == "comment.post":
        assert job["permissions"] == {"pull-requests": "write"}
    else:
        assert set(job["permissions"].values()) == {"read"}


def test_the_job_that_may_write_has_no_checkout_no_python_no_secret_and_no_code_of_ours():
    uses = [step["uses"].split("@")[0] for step in POST["steps"] if "uses" in step]
    [line] = [step["run"] for step in POST["steps"] if "run" in step]

    assert uses == ["actions/download-artifact", "iterative/setup-cml"]
    assert re.fullmatch(r"cml comment update [^;&|`\n]+", line)
    assert not re.search(r"python|skinlesion\.|secrets\.", str(POST))


def test_the_job_that_prepares_runs_the_default_branch_and_keeps_the_report_out_of_it():
    steps = WORKFLOWS["comment"]["jobs"]["prepare"]["steps"]
    [checkout] = [s for s in steps if "checkout" in s.get("uses", "")]
    [download] = [s for s in steps if "download" in s.get("uses", "")]

    assert "secrets." not in str(steps)
    assert checkout["with"] == {"persist-credentials": False}  # no ref: the default branch
    assert download["with"]["path"] == "${{ runner.temp }}/report"


def test_gitlab_posts_without_checkout_and_prepares_by_the_code_of_the_default_branch():
    assert GITLAB["post"]["variables"]["GIT_STRATEGY"] == "none"
    assert "python" not in str(GITLAB["post"]["script"])
    assert 'git fetch --quiet --depth 1 origin "$CI_DEFAULT_BRANCH"' in GITLAB["prepare"]["script"]
    assert all("src/" not in line for line in GITLAB["prepare"]["script"])


def test_cml_is_of_one_version_that_is_asked_for_with_a_token_and_without_vega():
    [setup] = [s for s in POST["steps"] if "setup-cml" in s.get("uses", "")]

    assert setup["with"] == {"version": "0.20.6", "vega": False}
    assert setup["env"] == {"GITHUB_TOKEN": "${{ github.token }}"}
    assert re.search(r"# - run: echo .* \| sha256sum --check$", TEXTS["comment.yml"], re.MULTILINE)
    assert GITLAB["post"]["image"].startswith("iterativeai/cml:0-dvc3-base1")


def cml_lines() -> list[tuple[str, str]]:
    """All lines of all files that run CML, with the name of their file."""
    return [
        (name, line)
        for name, text in TEXTS.items()
        for line in text.splitlines()
        if re.search(r"(?:run:|-) cml ", line)
    ]


def test_cml_uploads_nothing_and_knows_its_comments_by_our_name():
    assert [name for name, _ in cml_lines()] == ["comment.yml", ".gitlab-ci.yml"]
    for _, line in cml_lines():
        assert "--publish=false" in line
        assert "--watermark-title=skinlesion" in line


def test_cml_tells_nobody_that_it_ran_and_leaves_the_settings_of_git_alone():
    [step] = [s for s in POST["steps"] if "run" in s]
    first, _ = GITLAB["post"]["script"]

    assert step["env"]["ITERATIVE_DO_NOT_TRACK"] == "1"
    assert step["env"]["GIT_CONFIG_GLOBAL"].startswith("${{ runner.temp }}/")
    assert GITLAB["variables"]["ITERATIVE_DO_NOT_TRACK"] == "1"
    assert first == 'export GIT_CONFIG_GLOBAL="$(mktemp)"'


@EACH_JOB
def test_every_job_ends_in_time(name, job):
    workflow = WORKFLOWS[name.partition(".")[0]]

    assert 0 < job["timeout-minutes"] <= 60
    assert workflow["concurrency"]["group"].startswith("${{ github.workflow }}-${{ ")


@EACH_STEP
def test_no_text_from_outside_is_pasted_into_a_script(name, step):
    assert "${{" not in step.get("run", "")


@EACH_STEP
def test_no_checkout_leaves_a_token_behind(name, step):
    if step.get("uses", "").startswith("actions/checkout@"):
        assert step["with"]["persist-credentials"] is False


def test_comments_are_made_of_the_reports():
    assert WORKFLOWS["comment"]["on"]["workflow_run"]["workflows"] == [WORKFLOWS["report"]["name"]]


def test_gitlab_gets_all_commits_where_two_are_compared():
    assert GITLAB["report"]["variables"]["GIT_DEPTH"] == "0"


@pytest.mark.parametrize("job", ["prepare", "post"])
def test_a_token_of_gitlab_is_for_branches_of_the_project_itself(job):
    [rule] = GITLAB[job]["rules"]

    assert "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID" in rule["if"]


def test_a_report_is_posted_also_where_the_gate_is_not_passed():
    assert GITLAB["report"]["script"][-1].endswith(" gate report")
    assert GITLAB["report"]["artifacts"]["when"] == "always"
    assert GITLAB["prepare"]["rules"][0]["when"] == "always"


def test_the_tests_on_gitlab_have_the_programs_that_ci_installs():
    def packages(text: str) -> set[str]:
        [line] = re.findall(r"apt-get install (.*?)(?: >|$)", text, re.MULTILINE)
        return {word for word in line.split() if not word.startswith("-")}

    ci, gitlab = (ROOT / ".ci/run").read_text(), "\n".join(GITLAB["tests"]["before_script"])
    folder = "mkdir -p -m 755 /run/sshd"

    assert packages(ci) == packages(gitlab) != set()
    assert folder in ci
    assert folder in gitlab
