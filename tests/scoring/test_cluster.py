"""scoring.cluster: several workers give the bits of one process, whatever becomes of a worker.

Two workers of one scheduler serve all tests of this module but those that kill one of them, which
have clusters of their own.
"""

import contextlib
import os
import queue
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import dask
import distributed
import numpy as np
import pandas as pd
import pytest
from distributed.scheduler import KilledWorker
from tests import cluster_work, scorings, test_stages
from tests.process import PATIENCE
from tests.test_stages import ROOT, write_params

from skinlesion.dataset import metadata, stores
from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.errors import InputError
from skinlesion.explanation import branches, cutting, occlusion
from skinlesion.features import tabular
from skinlesion.network import backend, model, trained
from skinlesion.scoring import (
    cluster,
    engine,
    ensemble,
    executor,
    lesions,
    members,
    training_set,
    worker,
)

pytestmark = pytest.mark.usefixtures("keras_started")

KERAS = backend.Params(backend="tensorflow", precision="float32", seed=0)
NETWORK = {
    "backbone": "tiny",
    "weights": "none",
    "image_px": 32,
    "image_dropout": 0.0,
    "tabular_units": [8],
    "tabular_dropout": 0.0,
    "head_units": [],
}
P = scorings.PARAMS.model_copy(update={"engine": "litert"})
BATCH = P.batch_size
NOTHING = worker.Images(Path("none"), None)


@dataclass(frozen=True)
class Setting:
    """A cluster of two workers, the folder that all see, and the models in it."""

    address: str
    folder: Path
    plan: executor.Plan
    models: dict[FoldSeed, trained.Trained]
    workers: list[subprocess.Popen]

    @property
    def images(self) -> Path:
        return self.folder / "train-image.hdf5"


def dask_process(log: Path, *words: str, **variables: str) -> subprocess.Popen:
    """Start a part of a cluster. It finds the package, and the tests."""
    env = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"} | variables
    line = [sys.executable, "-m", "dask", *words, "--host", "127.0.0.1", "--no-dashboard"]
    with log.open("w") as said:
        return subprocess.Popen(line, env=env, cwd=log.parent, stdout=said, stderr=said)


def start_worker(address: str, log: Path, n_threads: int = 1, **variables: str):
    words = ("worker", address, "--no-nanny", "--nthreads", str(n_threads))
    return dask_process(log, *words, "--local-directory", str(log.parent), **variables)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def ended(processes: list[subprocess.Popen]) -> Iterator[None]:
    """Kill processes in the end."""
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def models(challenge) -> dict[FoldSeed, trained.Trained]:
    """Two models with random weights."""
    backend.start(KERAS)
    encoder = tabular.fit(metadata.read(challenge / "train-metadata.csv"), scorings.ENCODE)
    plan = model.Architecture(
        model=model.Params(**NETWORK), n_features=len(encoder.names), imagenet_input=False
    )
    facts = scorings.FACTS.model_copy(update={"prior_shift": 0.5})
    networks = {FoldSeed(fold): model.build(plan) for fold in (0, 1)}
    return {
        one: trained.Trained(model.logits_of(m), encoder, plan, facts)
        for one, m in networks.items()
    }


@pytest.fixture(scope="module")
def setting(challenge, models, tmp_path_factory) -> Iterator[Setting]:
    with started(tmp_path_factory.mktemp("cluster"), challenge, models) as found:
        yield found


@pytest.fixture
def doomed(challenge, models, tmp_path_factory) -> Iterator[Setting]:
    """A cluster for one test, which may kill what it wants of it."""
    with started(tmp_path_factory.mktemp("doomed"), challenge, models) as found:
        yield found


@contextlib.contextmanager
def started(
    folder: Path, challenge: Path, models: dict[FoldSeed, trained.Trained]
) -> Iterator[Setting]:
    """Start a scheduler and two workers, which see the folder."""
    port = free_port()
    for one, m in models.items():
        trained.save(
            folder / "models" / one.path,
            m.logits,
            architecture=m.architecture,
            encoder=m.encoder,
            facts=m.facts,
        )
    for name in ("train-metadata.csv", "train-image.hdf5"):
        (folder / name).symlink_to(challenge / name)
    address = f"tcp://127.0.0.1:{port}"
    scheduler = dask_process(folder / "scheduler.log", "scheduler", "--port", str(port))
    pid = {cluster_work.SCHEDULER: str(scheduler.pid)}
    workers = [start_worker(address, folder / f"worker-{i}.log", **pid) for i in range(2)]
    plan = executor.Plan(
        folder / "models", tuple(models), KERAS, partial(engine.prepared, name=P.engine)
    )
    with ended([*workers, scheduler]):
        with distributed.Client(address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=PATIENCE)
        yield Setting(address, folder, plan, models, workers)


@pytest.fixture
def connected(setting, monkeypatch):
    """Make an executor on the cluster, or on another one."""
    with contextlib.ExitStack() as stack:

        def connect(plan: executor.Plan | None = None, on: Setting = setting) -> cluster.Cluster:
            monkeypatch.setenv(executor.ADDRESS, on.address)
            run_on = stack.enter_context(executor.opened(plan or on.plan, on.models))
            return run_on(on.images)

        yield connect


@pytest.fixture
def cut(models) -> dict[FoldSeed, cutting.CutModel]:
    return cutting.every(models)


def folds_of(setting: Setting) -> pd.DataFrame:
    """The training lesions: two folds and a holdout."""
    table = metadata.read(setting.folder / "train-metadata.csv", columns=metadata.REQUIRED)
    return table[list(metadata.REQUIRED)].assign(fold=np.arange(len(table)) % 3 - 1)


def piece_of(setting: Setting) -> ensemble.Piece:
    table = metadata.read(setting.folder / "train-metadata.csv")
    return ensemble.Piece(table, tuple(setting.models), BATCH, strict=True)


def here(setting: Setting) -> executor.Here:
    prepared = setting.plan.prepare(setting.models)
    return executor.Here(prepared, stores.open_store(setting.images))


def ignored(n: int) -> None:
    """Show no progress."""


# === The bits of one process ===


def test_scores_are_those_of_one_process_to_the_bit(setting, connected):
    table, folds = setting.folder / "train-metadata.csv", folds_of(setting)
    here_and_there = [
        training_set.score(setting.models, folds, lesions.Source(table, run), P)
        for run in (here(setting), connected())
    ]

    for one, several in zip(*here_and_there, strict=True):
        pd.testing.assert_frame_equal(several, one, check_exact=True)


def test_explanations_are_those_of_one_process_to_the_bit(setting, connected, cut):
    plan = executor.Plan(setting.folder / "models", tuple(cut), KERAS, cutting.every)
    table, some = metadata.read(setting.folder / "train-metadata.csv"), folds_of(setting)[:40]
    found = []
    for run in (executor.Here(cut, stores.open_store(setting.images)), connected(plan)):
        members = branches.read(cut, some, table, run, batch_size=BATCH)
        drops = occlusion.drops(members, len(some), run, 0.5, batch_size=BATCH)
        found.append([*(m.pooled for m in members), drops])

    assert len(found[0]) == 5
    assert all(np.array_equal(*pair) for pair in zip(*found, strict=True))


def test_results_come_in_order_from_all_workers_whoever_is_first(setting, connected):
    steps = []
    found = list(connected().map(cluster_work.doubled, range(40), steps.append))

    assert [result for result, _ in found] == list(range(0, 80, 2))
    assert {pid for _, pid in found} == {process.pid for process in setting.workers}
    assert steps == [3] * 40


def test_few_pieces_are_held_however_many_there_are(connected):
    taken, run = [], connected()
    pieces = (taken.append(i) or 9 for i in range(100))
    for n_used, _ in enumerate(run.map(cluster_work.doubled, pieces, ignored)):
        assert len(taken) <= n_used + 2 * cluster.N_AHEAD

    assert len(taken) == 100


def test_no_pieces_have_no_results(connected):
    assert list(connected().map(cluster_work.doubled, [], ignored)) == []


def test_short_work_is_cut_for_all_workers(connected):
    assert executor.piece_size(1000, 8, connected().min_pieces) * 2 * cluster.N_PIECES < 1100


# === Refusals ===


def test_what_a_piece_is_refused_for_is_said(connected):
    with pytest.raises(InputError, match=r"^piece 3 must be another\.$"):
        list(connected().map(cluster_work.refused, [3], ignored))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"code": {"skinlesion.network.model": "0"}}, r"Other code: skinlesion\.network\.model\."),
        ({"code": {"skinlesion.scoring.new": "0"}}, "code of this process. No module named 'sk"),
        ({"packages": {"numpy": "0.1"}}, r"Other packages: numpy \S+ in place of 0\.1"),
        ({"packages": {"python": "2.7.1"}}, r"Other packages: python \S+ in place of 2\.7\.1"),
        ({"models": "0"}, r"Other models: \S+/models/fold-0, \S+/models/fold-1\."),
        ({"models": {"/none/fold-7": "0"}}, "/none/fold-7 must be a folder that all workers see"),
    ],
    ids=str,
)
def test_every_worker_that_differs_is_named_before_it_scores(
    setting, connected, monkeypatch, changes, expected
):
    needs = worker.needs(
        [setting.folder / f"models/fold-{fold}" for fold in (0, 1)], ["skinlesion.network.model"]
    )
    for name, entries in changes.items():
        found = getattr(needs, name)
        found.update(entries if isinstance(entries, dict) else dict.fromkeys(found, entries))
    monkeypatch.setattr(worker, "needs", lambda models, modules: needs)
    with pytest.raises(InputError, match=expected) as caught:
        connected()

    named = [line.split()[1] for line in str(caught.value).splitlines()]
    assert all(address.startswith("tcp://127.0.0.1:") for address in named)
    assert len(set(named)) == 2


def test_tiles_of_another_size_are_another_file(setting, connected, monkeypatch):
    monkeypatch.setattr(worker, "Images", lambda path, n_bytes: NOTHING.__class__(path, 7))
    with pytest.raises(InputError, match=r"train-image\.hdf5 must be the same for all\. Got \d+ b"):
        connected()


@pytest.mark.parametrize(
    ("n_threads", "variables", "expected"),
    [
        (2, {}, "it must have one thread: dask worker --nthreads 1. Got 2."),
        (1, {"KERAS_BACKEND": "none"}, "KERAS_BACKEND, the keras.backend of params.yaml, must be"),
    ],
)
def test_a_worker_that_cannot_run_the_models_is_named(
    setting, connected, tmp_path, n_threads, variables, expected
):
    third = start_worker(setting.address, tmp_path / "log", n_threads, **variables)
    with ended([third]), distributed.Client(setting.address, set_as_default=False) as client:
        client.wait_for_workers(3, timeout=PATIENCE)
        with pytest.raises(InputError) as caught:
            connected()

        client.retire_workers(names=None, workers=[str(caught.value).split()[1].rstrip(":")])

    (line,) = str(caught.value).splitlines()
    assert line.startswith("worker tcp://127.0.0.1:")
    assert expected in line


def test_workers_of_several_kinds_are_pointed_out(setting, monkeypatch, capsys):
    class Client:
        def run(self, *given, on_error: str):
            return {"tcp://a": ("", "8 CPUs"), "tcp://b": ("", "a GPU"), "tcp://c": ("", "a GPU")}

        def scheduler_info(self):
            return {"workers": {}}

    cluster._checked(Client(), None, setting.images)
    said = capsys.readouterr().err

    assert said.startswith("warning: workers of 2 kinds may round otherwise")
    assert said.endswith("\n  2 of a GPU\n  1 of 8 CPUs\n")


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://x", "tcp://127.0.0.1:none"])
def test_an_address_without_a_scheduler_is_an_error(setting, monkeypatch, address):
    monkeypatch.setenv(executor.ADDRESS, address)
    expected = "DASK_SCHEDULER_ADDRESS must be the address of a Dask scheduler that answers. Got"
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "300ms"}),
        pytest.raises(InputError, match=expected),
        executor.opened(setting.plan, setting.models),
    ):
        pass


class Workerless:
    """A client of a scheduler that has lost all workers."""

    scheduler = type("Scheduler", (), {"address": "tcp://here:1"})

    def scheduler_info(self):
        return {"workers": {}}

    def wait_for_workers(self, n: int, timeout: float):
        raise TimeoutError


def test_without_workers_the_run_ends(setting, monkeypatch):
    monkeypatch.setattr(cluster, "LOOK_S", 0.001)
    monkeypatch.setattr(cluster, "PATIENCE_S", 0.01)
    expected = "scheduler tcp://here:1 must have workers. It has had none for"
    with pytest.raises(InputError, match=expected):
        cluster.Cluster(Workerless(), None, NOTHING)._next(queue.Queue())
    with pytest.raises(InputError, match=expected):
        cluster._job(Workerless(), setting.plan)


def test_a_piece_that_no_worker_survives_is_an_error():
    class Deadly:
        def result(self):
            raise KilledWorker("run", None, 3)

    with pytest.raises(InputError, match=r"the memory of a worker\. One has ended 4 workers"):
        cluster.Cluster(Workerless(), None, NOTHING)._result(Deadly())


# === Losses ===


def test_a_piece_whose_worker_is_killed_runs_on_another(doomed, connected, tmp_path):
    whole = piece_of(doomed)
    cut = [
        ensemble.Piece(whole.lesions[i : i + BATCH], whole.networks, BATCH, strict=True)
        for i in range(0, len(whole.lesions), BATCH)
    ]
    expected = list(here(doomed).map(ensemble.score, cut, ignored))
    fatal = [(tmp_path / ("kill" if i == 3 else "spare"), piece) for i, piece in enumerate(cut)]
    (tmp_path / "spare").touch()
    found = list(connected(on=doomed).map(cluster_work.score_or_die, fatal, ignored))

    assert (tmp_path / "kill").exists()
    assert sorted(process.poll() or 0 for process in doomed.workers) == [-9, 0]
    pd.testing.assert_frame_equal(pd.concat(found), pd.concat(expected), check_exact=True)


def test_a_lost_scheduler_is_one_message_exit_code_1_and_no_file(
    doomed, challenge, tmp_path, monkeypatch, capfd
):
    (tmp_path / "data/interim").mkdir(parents=True)
    (tmp_path / test_stages.RAW).parent.mkdir(parents=True)
    (tmp_path / test_stages.RAW).symlink_to(challenge)
    (tmp_path / "models").symlink_to(doomed.folder / "models")
    write_params(tmp_path, split={"train_folds": [0, 1]})
    folds_of(doomed).to_csv(tmp_path / "data/interim/folds.csv", index=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(executor.ADDRESS, doomed.address)
    monkeypatch.setattr(ensemble, "score", cluster_work.lose_scheduler)
    monkeypatch.setattr(members, "load", lambda *_: {})  # the experts score afterwards
    with pytest.raises(SystemExit) as caught:
        test_stages.run("predict", *test_stages.command("predict"))
    err = capfd.readouterr().err
    (said,) = [line for line in err.splitlines() if line and "tile/s" not in line]

    assert caught.value.code == 1
    assert said.startswith(f"error: the Dask scheduler {doomed.address} must stay reachable.")
    assert not (tmp_path / "predictions").exists()


# === Without a cluster ===

LOADED = """
import runpy, sys
from types import SimpleNamespace
for stage in ("predict", "explain"):
    runpy.run_path(f"stages/{stage}.py")
from skinlesion.scoring import executor
with executor.opened(SimpleNamespace(prepare=dict), {}):
    print(*sys.modules)
"""


def test_without_the_variable_nothing_of_dask_is_loaded():
    env = {k: v for k, v in os.environ.items() if k != executor.ADDRESS}
    ran = subprocess.run(
        [sys.executable, "-c", LOADED],
        env=env | {"PYTHONPATH": str(ROOT / "src")},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    loaded = {name.split(".")[0] for name in ran.stdout.split()}

    assert ran.returncode == 0, ran.stderr
    assert "skinlesion" in loaded
    assert not loaded & {"dask", "distributed"}
