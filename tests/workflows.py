"""The YAML of GitHub and GitLab, and a runner that runs its steps on this machine."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml import YAML
from tests import two_commits
from tests.loopback_forge import GITHUB_API, GITLAB_API, Loopback

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / ".github/workflows").glob("*.yml"))
WORKFLOWS = {path.stem: YAML(typ="safe").load(path) for path in FILES}
GITLAB_CI = ROOT / ".gitlab-ci.yml"
GITLAB = YAML(typ="safe").load(GITLAB_CI)
NOT_RUN = {
    "make .venv/installed",  # needs the network: this environment stands in its place
    "make test",  # runs this test, and all others
}
HEAD = "a" * 40  # of the run that has ended, as GitHub tells it
CML = """#!/bin/bash
printf '%s\\n' "$@" > {folder}/arguments
compgen -e > {folder}/names
cp "${{@: -1}}" {folder}/text
"""


def stand_in(folder: Path) -> Path:
    """A program `cml` that records its arguments, the names of its variables, and the text."""
    folder.mkdir()
    program = folder / "bin/cml"
    program.parent.mkdir()
    program.write_text(CML.format(folder=folder))
    program.chmod(0o755)
    return program


def bare(home: Path, cml: Path) -> dict[str, str]:
    """The environment of a job that has no checkout: nothing of ours, no Python but Debian's."""
    home.mkdir(exist_ok=True)
    return {
        "CI": "true",
        "HOME": str(home),
        "NO_PROXY": "127.0.0.1",
        "PATH": f"{cml.parent}:{Path(shutil.which('node') or '/usr/bin/x').parent}:/usr/bin:/bin",
    }


@dataclass
class Runner:
    """A runner of GitHub: it runs the jobs of a workflow, and keeps the artifacts between them."""

    origin: Path
    folder: Path
    branch: str
    owner: str = "team"  # of the repository that the branch is in
    secret: str = ""
    server: str = "https://forge.example"
    cml: Path | None = None
    environment: dict[str, str] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)  # of ${{ … }}
    said: str = ""

    def __post_init__(self) -> None:
        self.known |= {
            "github.base_ref": "main",
            "github.event.pull_request.head.sha": self.head,
            "github.event.workflow_run.id": "17",
            "github.repository": "team/lesions",
            "github.server_url": self.server,
            "github.token": "secret",
            "runner.temp": str(self.temp),
            "secrets.DVC_CONFIG_LOCAL": self.secret,
            "secrets.DVC_CONFIG_LOCAL != '' && '--remote' || '--no-remote'": (
                "--remote" if self.secret else "--no-remote"
            ),
        }
        self.environment |= {"RUNNER_TEMP": str(self.temp)}

    @property
    def temp(self) -> Path:
        return self.folder / "temp"

    @property
    def artifacts(self) -> Path:
        return self.folder / "artifacts"

    @property
    def head(self) -> str:
        return two_commits.shell(self.origin, f"git rev-parse {self.branch}").strip()

    def ask(self, forge: Loopback) -> None:
        """Let the forge say that the run of this branch has ended, and of which pull request."""
        of = {"full_name": f"{self.owner}/lesions", "owner": {"login": self.owner}}
        run = {"head_sha": HEAD, "head_branch": self.branch, "head_repository": of}
        (self.folder / "event.json").write_text(json.dumps({"workflow_run": run}))
        label = f"{self.owner}:{self.branch}"
        forge.pulls = [{"number": 5, "label": label, "head": {"sha": HEAD}}]
        self.environment |= {
            "GITHUB_API_URL": forge.address + GITHUB_API,
            "GITHUB_EVENT_NAME": "workflow_run",
            "GITHUB_EVENT_PATH": str(self.folder / "event.json"),
            "GITHUB_REPOSITORY": "team/lesions",
            "GITHUB_SHA": HEAD,
        }

    def run(self, workflow: str) -> dict[str, int]:
        """Run a workflow until a step fails: the exit code of each step by name."""
        codes: dict[str, int] = {}
        for name, job in WORKFLOWS[workflow]["jobs"].items():
            if not any(codes.values()) and self.holds(job):
                codes |= self.job(self.folder / f"{workflow}-{name}", job)
                for key, value in job.get("outputs", {}).items():
                    self.known[f"needs.{name}.outputs.{key}"] = self.filled(value)
        return codes

    def job(self, workspace: Path, job: dict) -> dict[str, int]:
        for folder in (workspace, self.temp):  # each job has a machine of its own
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        codes: dict[str, int] = {}
        for step in filter(self.holds, job["steps"]):
            if "uses" in step:
                action = step["uses"].split("@")[0].split("/")[1].replace("-", "_")
                given = {k: self.filled(v) for k, v in step.get("with", {}).items()}
                self.keep(step, getattr(self, action)(workspace, given))
            elif step["run"] not in NOT_RUN:
                codes[step["name"]] = self.script(workspace, step, job.get("env", {}))
                if codes[step["name"]]:
                    break
        return codes

    def script(self, workspace: Path, step: dict, given: dict) -> int:
        output = self.folder / "output"
        output.write_text("")
        filled = {k: self.filled(v) for k, v in (given | step.get("env", {})).items()}
        checked_out = any(workspace.iterdir())
        surrounding = (
            two_commits.environment(workspace)
            if checked_out
            else bare(self.folder / "home", self.cml or Path("/none/cml"))
        )
        files = {"GITHUB_OUTPUT": str(output)}
        ran = subprocess.run(
            ["bash", "-e", "-c", step["run"]],
            cwd=workspace,
            env=surrounding | self.environment | files | filled,
            capture_output=True,
            text=True,
        )
        self.said += ran.stdout + ran.stderr
        self.keep(step, dict(line.split("=", 1) for line in output.read_text().splitlines()))
        return ran.returncode

    def keep(self, step: dict, outputs: dict[str, str] | None) -> None:
        for key, value in (outputs or {}).items() if "id" in step else ():
            self.known[f"steps.{step['id']}.outputs.{key}"] = value

    def holds(self, part: dict) -> bool:
        """Whether a job or a step is to be run; what the event must be is not looked at."""
        asked = re.fullmatch(r"(\S+\.outputs\.\S+) != ''", part.get("if", ""))
        return not asked or self.known.get(asked[1], "") != ""

    def filled(self, value: object) -> str:
        def known(found: re.Match[str]) -> str:
            outputs = ".outputs." in found[1]  # empty where a step did not run
            return self.known.get(found[1], "") if outputs else self.known[found[1]]

        return re.sub(r"\$\{\{ (.*?) \}\}", known, str(value))

    # The actions that the workflows use, as far as they use them; they return their outputs.

    def checkout(self, workspace: Path, given: dict[str, str]) -> None:
        depth = int(given.get("fetch-depth", 1))
        shallow = "" if depth == 0 else f"--depth {depth}"
        line = f"git clone --quiet {shallow} --branch main file://{self.origin} {workspace}"
        two_commits.shell(self.folder, line)
        if depth == 0:  # the workflow of a pull request: what a merge would give
            who = "-c user.name=x -c user.email=x@y"
            merge = f"git {who} merge --quiet --no-ff origin/{self.branch}"
            two_commits.shell(
                workspace, f"git checkout --quiet --detach && {merge} && git branch --quiet -D main"
            )

    def setup_python(self, workspace: Path, given: dict[str, str]) -> None:
        two_commits.install(workspace)

    def setup_cml(self, workspace: Path, given: dict[str, str]) -> None:
        assert self.cml is not None

    def upload_artifact(self, workspace: Path, given: dict[str, str]) -> dict[str, str]:
        paths = sorted(Path(os.sep).glob(str(workspace / given["path"]).lstrip(os.sep)))
        assert paths or given["if-no-files-found"] == "ignore"
        name = given.get("name") or Path(given["path"]).name
        for path in paths:
            target = self.artifacts / name
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
        return {"artifact-url": f"https://forge.example/{name}" if paths else ""}

    def download_artifact(self, workspace: Path, given: dict[str, str]) -> None:
        shutil.copytree(self.artifacts / given["name"], given["path"], dirs_exist_ok=True)


def run_gitlab(job: str, folder: Path, environment: dict[str, str]) -> tuple[int, str]:
    """Run the lines of a job of GitLab in a folder: exit code and all that was said."""
    lines = [line for line in GITLAB[job]["script"] if line not in NOT_RUN]
    assert lines
    ran = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(lines)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    return ran.returncode, ran.stdout + ran.stderr


def gitlab_variables(forge: Loopback, base: str, head: str) -> dict[str, str]:
    """What GitLab tells a job of a merge request."""
    return {
        "CI_API_V4_URL": forge.address + GITLAB_API,
        "CI_COMMIT_SHA": head,
        "CI_DEFAULT_BRANCH": "main",
        "CI_JOB_URL": "https://forge.example/job/17",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
        "CI_MERGE_REQUEST_IID": "3",
        "CI_PROJECT_ID": "7",
        "CI_PROJECT_URL": forge.address + "/team/lesions",
        "GITLAB_CI": "true",
        "GITLAB_TOKEN": "secret",
    }
