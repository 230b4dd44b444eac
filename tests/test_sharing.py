"""docs/sharing.md: its commands, between the clones of a team with real servers on loopback."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fsspec.implementations.dirfs import DirFileSystem
from ruamel.yaml import YAML
from scipy.special import logit
from tests import command_line, servers
from tests import team as teams
from tests.process import PATIENCE
from tests.team import COMMIT, ROOT, Team, attempt, configure, environment, model, shell
from tests.test_stages import RAW, write_params

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(
        bool(servers.missing()) and "CI" not in os.environ,  # there, it is an error
        reason=f"this machine has no {' and no '.join(servers.missing())}",
    ),
]
REMOTES = ["local", "bucket", "server"]
SERVED = ["bucket", "server"]
UP_TO_DATE = "Data and pipelines are up to date"
FACTS = "models/fold-0/facts.json"
KEPT = {"shift", "calibrate", "evaluate", "export"}  # of what follows `predict`
PIPELINE = YAML(typ="safe").load(ROOT / "dvc.yaml")


def write_pipeline(folder: Path) -> None:
    """Write dvc.yaml up to the bundle: what comes beside it is shared in the same way."""
    yaml = YAML()
    given = yaml.load(ROOT / "dvc.yaml")
    names = list(given["stages"])
    for name in set(names[names.index("predict") + 1 :]) - KEPT:
        del given["stages"][name]
    del given["plots"]
    yaml.dump(given, folder / "dvc.yaml")


def key(md5: str) -> str:
    """Where a remote keeps an object."""
    return f"files/md5/{md5[:2]}/{md5[2:]}"


def listed(folder: Path) -> str:
    """The key of the list of the model's files."""
    outs = YAML(typ="safe").load(folder / "dvc.lock")["stages"]["train@0"]["outs"]
    return next(key(out["md5"]) for out in outs if out["path"] == "models/fold-0")


# === The team ===


@pytest.fixture(scope="module")
def team(tmp_path_factory) -> Iterator[Team]:
    with teams.gathered(tmp_path_factory.mktemp("team")) as team:
        yield team


@pytest.fixture(scope="module")
def project(team) -> Path:
    """The author's clone: small params and the remotes of the page, as `main` on the hub."""
    folder = team.author
    for name in ("src", "stages"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".dvc").mkdir()
    for name in (".gitignore", ".dvcignore", ".dvc/config", ".dvc/.gitignore"):
        shutil.copy(ROOT / name, folder / name)
    write_pipeline(folder)
    write_params(folder, model={"backbone": "none"}, train={"n_epochs": 1})
    for heading in ("SSH", "S3"):  # the last becomes the default
        configure(folder, *team.follow(heading, 0), *team.follow(heading, 1))
    shell(
        folder,
        f"git init --quiet --bare --initial-branch main {team.hub}",
        "git init --quiet --initial-branch main",
        f"git remote add origin {team.hub}",
        f"{COMMIT} 'The pipeline and its remotes'",
        "git push --quiet origin main",
    )
    return folder


@pytest.fixture(scope="module")
def author(team, project) -> Path:
    """The same clone after an experiment, which it pushed: the files a teammate never needs.

    The hub has it as the branch `results`, registered; and `newer`, with another model.
    """
    run_it, push_it = team.follow("Experiments", 0)
    register, push_version = team.follow("A registered model", 0)
    shell(project, run_it, "dvc exp branch longer results", "git checkout --quiet --force results")
    with (project / FACTS).open("a") as file:
        file.write("\n")
    # Of other params, or the run cache would know two results of the same run.
    write_params(project, model={"backbone": "none"}, train={"n_epochs": 1, "seed": 99})
    shell(
        project,
        "git checkout --quiet -b newer",
        "dvc commit --force train@0",
        f"{COMMIT} 'Another model'",
        "dvc push --remote local",  # as a folder, it takes the files of the current commit alone
        "git checkout --quiet results",
        "dvc checkout",
        register,
        "git push --quiet origin results newer",
        push_version,
        "dvc push --remote local",
        "dvc push --all-branches --remote bucket",
        "dvc push --all-branches --remote server",
        push_it,
    )
    return project


@pytest.fixture(scope="module")
def teammates(team, author) -> dict[str, Path]:
    """A clone for each remote, which pulled from it."""
    folders = {remote: team.clone(f"teammate-{remote}", remote=remote) for remote in REMOTES}
    for folder in folders.values():
        assert UP_TO_DATE in shell(folder, *team.follow("Every day", 1))
    return folders


# === Data and models ===


@pytest.mark.parametrize("remote", SERVED)
def test_a_clone_that_pulled_has_nothing_to_run(teammates, remote):
    ran = shell(teammates[remote], "dvc repro")

    assert "Running" not in ran
    assert UP_TO_DATE in ran


@pytest.mark.parametrize("remote", SERVED)
def test_a_pulled_bundle_gives_the_authors_scores(author, teammates, remote, monkeypatch, tmp_path):
    monkeypatch.chdir(teammates[remote])
    command_line.run(
        "score", "bundle", f"{RAW}/test-metadata.csv", f"{RAW}/test-image.hdf5", tmp_path
    )

    assert_scores_are_those_of(author, tmp_path)


def test_no_credential_is_in_git(team, author):
    history = shell(author, "git log --all --patch")
    ignored = (author / ".dvc/config.local").read_text()

    assert f"endpointurl = http://{servers.HOST}" in history
    for credential in (servers.KEY, servers.SECRET, f"{team.folder}/ssh/key"):
        assert credential in ignored
        assert credential not in history


# === Lost and changed objects ===


@pytest.fixture
def newer(team, author, teammates, remote) -> Iterator[tuple[Path, DirFileSystem, str]]:
    """A clone that is at `newer` and has not pulled it, the remote's objects, the new one's key."""
    folder = teammates[remote]
    md5 = hashlib.md5((author / FACTS).read_bytes() + b"\n").hexdigest()
    shell(folder, "git checkout --quiet newer")
    yield folder, team.objects(remote), key(md5)
    shell(folder, "git checkout --quiet results")


@pytest.mark.parametrize("remote", REMOTES)
def test_a_lost_object_is_an_error_that_names_it_and_changes_no_file(author, newer, remote):
    folder, objects, lost = newer
    content = objects.cat_file(lost)
    objects.rm_file(lost)
    pulled = attempt(folder, "dvc pull")
    objects.pipe_file(lost, content)

    assert pulled.returncode == 1
    assert "".join(lost.split("/")[2:]) in pulled.stderr
    assert "Traceback" not in pulled.stderr
    assert model(folder) == model(author)


@pytest.mark.parametrize("remote", REMOTES)
def test_a_changed_object_is_an_error_and_the_files_before_come_back(author, newer, remote):
    folder, objects, changed = newer
    content = objects.cat_file(changed)
    objects.rm_file(changed)
    objects.pipe_file(changed, content.swapcase())
    pulled = attempt(folder, "dvc pull")
    cached = (folder / ".dvc/cache" / changed).exists()
    objects.rm_file(changed)
    objects.pipe_file(changed, content)
    shell(folder, "git checkout --quiet results", "dvc checkout")

    assert pulled.returncode == 1
    assert "models/fold-0" in pulled.stderr
    assert not cached
    assert model(folder) == model(author)


@pytest.mark.parametrize("remote", ["bucket"])
def test_a_push_mends_a_folder_whose_list_was_removed(team, author, newer, remote):
    folder, objects, lost = newer
    objects.rm_file(lost)
    objects.rm_file(listed(folder))
    shell(author, f"dvc push --all-branches --remote {remote}")
    mended = team.clone("mended", remote=remote, branch="newer")
    shell(mended, "dvc pull")

    assert (mended / FACTS).read_bytes() == (author / FACTS).read_bytes() + b"\n"


# === A push that was killed ===


def clone_through(line: servers.Line, team: Team, name: str, *, remote: str) -> Path:
    """A clone whose remote is an empty one at the far end of the line."""
    folder = team.clone(name, remote=remote)
    near = f"{servers.HOST}:{line.server_address[1]}"
    settings = {
        "bucket": [f"url s3://{servers.BUCKET}/again", f"endpointurl http://{near}"],
        "server": [f"url ssh://{near}{team.folder}/ssh/srv/again"],
    }
    configure(folder, *[f"dvc remote modify --local {remote} {to}" for to in settings[remote]])
    return folder


@pytest.mark.parametrize("remote", SERVED)
def test_a_push_that_was_killed_half_way_ends_whole_when_run_again(team, author, remote):
    sizes = [p.stat().st_size for p in (author / ".dvc/cache/files").rglob("*") if p.is_file()]
    half_way = (max(sizes) + sum(sizes)) / 2  # one object has arrived by then, and never all
    with servers.line(team.ports[remote], n_bytes=half_way) as line:
        folder = clone_through(line, team, f"killed-{remote}", remote=remote)
        configure(folder, f"dvc cache dir --local {author}/.dvc/cache")
        push = subprocess.Popen(
            ["dvc", "push", "--quiet", "--jobs", "1"], cwd=folder, env=environment(folder)
        )
        broken = line.broken.wait(timeout=PATIENCE)
        push.kill()
        push.wait()
        n_arrived = len(team.objects(remote, "again").find("files"))
        line.n_bytes = float("inf")
        shell(folder, "dvc push")
        fresh = clone_through(line, team, f"after-{remote}", remote=remote)
        shell(fresh, "dvc pull")

    assert broken
    assert 0 < n_arrived < len(team.objects(remote, "again").find("files"))
    assert model(fresh) == model(author)


# === Experiments ===


def test_an_experiment_is_taken_over_whole(team, author):
    folder = team.clone("takes-over", remote="server", branch="main")
    shell(folder, *team.follow("Experiments", 1))
    ran = shell(folder, "dvc repro")

    assert "Running" not in ran
    assert UP_TO_DATE in ran
    assert model(folder) == model(author)


def test_what_is_known_of_the_same_params_is_not_trained_again(team, author):
    folder = team.clone("runs", remote="bucket", branch="main")
    ran = shell(folder, *team.follow("Experiments", 2))

    assert "Stage 'train@0' is cached - skipping run" in ran
    assert "Stage 'predict' is cached - skipping run" in ran, ran
    assert model(folder) == model(author)
    assert (folder / "dvc.lock").read_bytes() == (author / "dvc.lock").read_bytes()


# === The registered model ===


def test_a_registered_version_scores_without_the_data_of_the_repository(team, author, monkeypatch):
    *get, score = team.follow("A registered model", 1)
    shell(team.folder, *get)
    monkeypatch.chdir(team.folder / "scorer")
    alone = not Path("data").exists() and not Path("bundle").exists()
    for name in ("test-metadata.csv", "test-image.hdf5"):
        shutil.copy(author / RAW / name, name)
    assert command_line.run(*score.split()[1:]) == 0
    shell(Path.cwd(), *team.follow("A registered model", 2))

    assert alone
    assert_scores_are_those_of(author, Path("out"))
    manifest = Path("bundle/manifest.json").read_bytes()
    assert manifest == (author / "bundle/manifest.json").read_bytes()


def assert_scores_are_those_of(author: Path, out: Path) -> None:
    found = pd.read_csv(out / "predictions.csv")
    expected = pd.read_csv(author / "calibrated/submission.csv")
    assert found["isic_id"].tolist() == expected["isic_id"].tolist()
    np.testing.assert_allclose(logit(found["probability"]), logit(expected["target"]), atol=1e-5)


def test_the_artifact_is_the_folder_that_export_writes():
    (artifact,) = PIPELINE["artifacts"].values()

    assert PIPELINE["stages"]["export"]["outs"] == [artifact["path"]]
