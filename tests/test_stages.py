"""stages: the whole pipeline, from a drawn challenge folder to curves, with and without DVC."""

import contextlib
import io
import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import markupsafe
import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML
from tests import command_line

from skinlesion import metrics
from skinlesion.evaluation import members

ROOT = Path(__file__).parents[1]
STAGES = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]
RAW = "data/raw/synthetic"
SMALL = {
    "synthesize": {"n_lesions": 240, "n_patients": 40, "n_malignant": 40, "n_test_lesions": 30},
    "split": {"n_folds": 2},
    "resample": {"n_planned_epochs": 3},
    "model": {"backbone": "tiny", "image_px": 32, "tabular_units": [8]},
    "train": {"n_epochs": 2},
    "boost": {"n_seeds": 2, "n_rounds": 10, "min_leaf": 5, "min_pauc": 0.0},
    "measure": {"n_resamples": 100},
    "calibrate": {"n_parts": 2},
    "explain": {"n_permutations": 1, "n_shown": 2},
}
OFF = {"rate": 0.0, "max_change": 0.1}
# Runs scripts with their arguments one after the other, so that TensorFlow is loaded once.
EVERY = """
import json, runpy, sys

for line in json.loads(sys.argv[1]):
    sys.argv = line
    runpy.run_path(line[0], run_name="__main__")
"""


def write_params(folder: Path, **changes: dict) -> None:
    """Write the project's params.yaml with small data and a small network, and `changes`."""
    yaml = YAML()
    given = yaml.load(ROOT / "params.yaml")
    for block, values in [*SMALL.items(), *changes.items()]:
        given[block].update(values)
    yaml.dump(given, folder / "params.yaml")


def command(name: str, images: str | None = None) -> list[str]:
    """The arguments that dvc.yaml gives to a stage, for fold 0."""
    values = {
        "item.fold": "0",
        "data.raw": RAW,
        "data.train_images": images or "train-image.hdf5",
        "data.test_images": images or "test-image.hdf5",
    }
    given = STAGES[name]["cmd"]
    line = given if isinstance(given, str) else given[-1]
    for key, value in values.items():
        line = line.replace(f"${{{key}}}", value)
    words = shlex.split(line)
    return words[words.index(f"stages/{name}.py") + 1 :]


def run(name: str, *args: str | Path) -> str:
    """Run a stage as its command line does, but in this process; return what it printed."""
    argv, printed = sys.argv, io.StringIO()
    sys.argv = [f"stages/{name}.py", *map(str, args)]
    try:
        with contextlib.redirect_stdout(printed):
            runpy.run_path(str(ROOT / "stages" / f"{name}.py"), run_name="__main__")
    finally:
        sys.argv = argv
    return printed.getvalue()


COMMIT = "git add . && git -c user.name=x -c user.email=x@y commit --quiet --message run"


def environment(folder: Path) -> dict[str, str]:
    return os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "DVC_SITE_CACHE_DIR": str(folder.parent / "site"),
        "ITERATIVE_DO_NOT_TRACK": "1",
    }


def shell(folder: Path, line: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        line, shell=True, cwd=folder, env=environment(folder), capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A git repository of the project with small params, where `dvc repro` has run once."""
    folder = tmp_path_factory.mktemp("here") / "project"
    for name in ("src", "stages"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dvc.yaml", ".gitignore", ".dvcignore", ".dvc/config"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    write_params(folder)
    for line in ("git init --quiet --initial-branch main", COMMIT, "dvc repro", COMMIT):
        ran = shell(folder, line)
        assert ran.returncode == 0, ran.stderr
        if line == "dvc repro":
            (folder.parent / "printed.txt").write_text(ran.stdout)
    return folder


@pytest.fixture(scope="module")
def clone(repository, tmp_path_factory):
    """A clone of it, where all stages run beside the tests that do not wait for them."""
    folder = tmp_path_factory.mktemp("elsewhere") / "clone"
    ran = shell(folder.parent, f"git clone --quiet {repository} {folder}")
    assert ran.returncode == 0, ran.stderr
    (folder / "dvc.lock").unlink()
    shutil.rmtree(folder / "metrics")  # in git; DVC, too, removes outs before it runs a stage
    lines = json.dumps([[f"stages/{name}.py", *command(name)] for name in STAGES])
    env = environment(folder) | {"PYTHONPATH": "src", "KERAS_BACKEND": "tensorflow"}
    with (folder.parent / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", EVERY, lines], cwd=folder, env=env, stdout=log, stderr=log
        )
        yield folder, process
        process.wait()


@pytest.fixture
def work(repository, tmp_path, monkeypatch):
    """A copy of what the stages read and wrote, to be spoilt, as the current folder."""
    folder = tmp_path / "work"
    folder.mkdir()
    shutil.copy(repository / "params.yaml", folder)
    for name in (
        "data",
        "models",
        "experts",
        "predictions",
        "shift",
        "calibrated",
        "explanations",
        "metrics",
    ):
        shutil.copytree(repository / name, folder / name)
    monkeypatch.chdir(folder)
    return folder


# === With DVC ===


def test_a_second_run_has_nothing_to_do(repository, clone):
    assert "Data and pipelines are up to date" in shell(repository, "dvc repro").stdout


# === What the stages wrote ===


def test_every_stage_says_in_a_line_or_two_what_it_did(repository):
    printed = (repository.parent / "printed.txt").read_text()
    block = r"Running stage '(\w+)\S*':\n(?:> .*\n)+((?:(?!Running |Updating ).+\n)+)"
    lines = {
        name: [line for line in said.splitlines() if not line.startswith("epoch ")]
        for name, said in re.findall(block, printed)
    }

    assert lines.keys() == STAGES.keys()
    assert all(1 <= len(said) <= 3 for said in lines.values()), lines


def test_patients_of_the_holdout_and_the_validation_fold_are_never_learnt_from(repository):
    folds = pd.read_csv(repository / "data/interim/folds.csv").set_index("isic_id")
    drawn = pd.read_csv(repository / "data/interim/draws/fold-0.csv")["isic_id"].unique()
    encoded = pd.read_parquet(repository / "data/processed/fold-0/tabular.parquet")["isic_id"]

    assert set(folds.loc[drawn, "fold"]) == {1}
    assert set(folds.loc[encoded, "fold"]) == {0, 1}
    assert folds.groupby("patient_id")["fold"].nunique().max() == 1


def test_every_test_lesion_is_scored_in_the_order_of_the_table(repository):
    submission = pd.read_csv(repository / "predictions/submission.csv")
    test = pd.read_csv(repository / RAW / "test-metadata.csv")

    assert submission.columns.tolist() == ["isic_id", "target"]
    assert submission["isic_id"].tolist() == test["isic_id"].tolist()
    assert submission["target"].between(0, 1).all()
    assert submission["target"].nunique() > 20


@pytest.mark.parametrize(("name", "fold"), [("holdout", -1), ("oof", 0)])
def test_scores_with_a_known_target_are_of_lesions_not_learnt_from(repository, name, fold):
    scored = pd.read_csv(repository / f"predictions/{name}.csv")
    folds = pd.read_csv(repository / "data/interim/folds.csv")

    assert set(scored["isic_id"]) == set(folds.loc[folds["fold"] == fold, "isic_id"])
    assert set(scored["fold"]) == {fold}


@pytest.mark.parametrize("name", ["holdout", "oof"])
def test_the_evaluation_is_of_the_combined_scores(repository, name):
    scored = pd.read_csv(repository / f"calibrated/{name}.csv")
    found = json.loads((repository / "metrics/evaluation.json").read_text())[name]
    details = json.loads((repository / "metrics/details.json").read_text())["sets"][name]

    assert found["pauc"] == details["ranking"]["pauc"]["value"]
    assert found["pauc"] == pytest.approx(
        metrics.partial_auc(scored["target"], scored["score"]), abs=1e-6
    )
    assert details["n_lesions"] == len(scored)


def test_probabilities_are_in_the_order_of_the_combined_scores(repository):
    scored = pd.read_csv(repository / "calibrated/holdout.csv")
    assert scored["probability"].rank().tolist() == scored["score"].rank().tolist()


def test_each_member_scores_every_lesion(repository):
    for name, of in (("holdout", "holdout"), ("oof", "oof"), ("submission", "test")):
        network = pd.read_csv(repository / f"predictions/{name}.csv")
        table = pd.read_csv(repository / f"predictions/table-{of}.csv")
        assert set(table["isic_id"]) == set(network["isic_id"])
        assert list(table) == ["isic_id", "table", "table_alone", "table_sd_seeds", "colour"]
        assert table.drop(columns="isic_id").stack().between(0, 1).all()


def test_the_report_shows_each_member_and_both_modes(repository):
    details = json.loads((repository / "metrics/details.json").read_text())
    shown = details["sets"]["holdout"]["members"]
    page = (repository / "metrics/report.html").read_text()

    assert [row["column"] for row in shown["rows"]] == list(members.LABELS)
    assert shown["context"].keys() == {"pauc", "auc", "top_k_sensitivity"}
    assert all(markupsafe.escape(label) in page for label in members.LABELS.values())


def test_with_the_network_alone_the_order_is_that_of_its_scores(work):
    write_params(work, calibrate={"members": ["network"]})
    run("calibrate", *command("calibrate"))

    for name, score, probability in (
        ("holdout", "score", "probability"),
        ("submission", "target", "target"),
    ):
        scored = pd.read_csv(work / f"predictions/{name}.csv")
        calibrated = pd.read_csv(work / f"calibrated/{name}.csv")
        assert calibrated["isic_id"].tolist() == scored["isic_id"].tolist()
        assert calibrated[probability].rank().tolist() == scored[score].rank().tolist()


def test_without_calibration_the_submission_is_that_of_the_scores(work):
    write_params(work, calibrate={"method": "none", "members": ["network"]})
    said = run("calibrate", *command("calibrate"))

    assert said.endswith("scores are left as they are: calibrate.method is none\n")
    expected = (work / "predictions/submission.csv").read_bytes()
    assert (work / "calibrated/submission.csv").read_bytes() == expected


def test_without_a_holdout_everything_is_of_the_out_of_fold_lesions(work):
    path = work / "data/interim/folds.csv"
    folds = pd.read_csv(path)
    folds.assign(fold=folds["fold"].replace(-1, 1)).to_csv(path, index=False)
    for name in ("predict", "shift", "calibrate", "evaluate", "explain", "export", "report"):
        run(name, *command(name))

    evaluation = json.loads((work / "metrics/evaluation.json").read_text())
    assert list(evaluation) == ["oof"]
    shown = pd.read_csv(work / "explanations/gallery.csv")["isic_id"]
    assert set(shown) <= set(pd.read_csv(work / "predictions/oof.csv")["isic_id"])
    assert "out-of-fold" in (work / "metrics/report.html").read_text()


def test_the_report_and_its_tiles_are_kept_from_git(repository):
    tracked = shell(repository, "git ls-files").stdout.split()

    assert (repository / "metrics/report.html").exists()
    assert list((repository / "explanations").glob("*.png"))
    written = [path for path in tracked if not path.startswith("src/")]
    assert not [path for path in written if path.endswith((".png", ".jpg", ".html", ".hdf5"))]


def test_the_model_scores_its_validation_fold_as_it_did_in_training(repository):
    facts = json.loads((repository / "models/fold-0/facts.json").read_text())
    scored = pd.read_csv(repository / "predictions/oof.csv")

    assert facts["validation"]["validation/auc"] == pytest.approx(
        metrics.auc(scored["target"], scored["score"]), abs=1e-6
    )
    assert facts["validation"]["validation/loss"] == pytest.approx(
        metrics.log_loss(scored["target"], np.log(scored["score"] / (1 - scored["score"]))),
        rel=1e-4,
    )
    assert (
        facts["prior_shift"]
        == json.loads((repository / "data/interim/draws/fold-0.json").read_text())["prior_shift"]
    )


def test_every_epoch_is_logged(repository):
    curves = sorted((repository / "metrics/train/fold-0/plots/metrics").rglob("*.tsv"))

    assert [f"{c.parent.name}/{c.stem}" for c in curves] == [
        "train/accuracy",
        "train/loss",
        "validation/accuracy",
        "validation/auc",
        "validation/loss",
        "validation/pauc",
    ]
    assert all(len(curve.read_text().splitlines()) == 1 + 2 for curve in curves)


def test_a_broken_test_tile_is_a_warning_on_a_line_of_its_own_and_is_scored(work):
    isic_ids = pd.read_csv(work / RAW / "test-metadata.csv")["isic_id"].tolist()
    with h5py.File(work / RAW / "test-image.hdf5", "a") as file:
        for isic_id in isic_ids[3:5]:
            del file[isic_id]
    *warnings, summary = run("check", *command("check")).splitlines()
    warning = next(line for line in warnings if "it has no tile" in line)
    run("predict", *command("predict"))

    assert warning.startswith("warning: test-image.hdf5")
    assert isic_ids[3] in warning
    assert summary.startswith("check: ")
    assert len(pd.read_csv(work / "predictions/submission.csv")) == 30
    assert pd.read_csv(work / "predictions/unreadable.csv")["isic_id"].tolist() == isic_ids[3:5]


@pytest.mark.parametrize("kind", ["hdf5", "folder"])
def test_any_challenge_folder_is_scored_without_params_and_dvc(
    repository, tmp_path, monkeypatch, kind
):
    monkeypatch.chdir(tmp_path)
    tiles = repository / RAW / "test-image.hdf5"
    if kind == "folder":
        with h5py.File(tiles) as file:
            (tmp_path / "tiles" / "deep").mkdir(parents=True)
            for isic_id in file:
                (tmp_path / "tiles" / "deep" / f"{isic_id}.jpg").write_bytes(file[isic_id][()])
        tiles = tmp_path / "tiles"
    shutil.copytree(repository / "bundle", tmp_path / "model")
    table = shutil.copy(repository / RAW / "test-metadata.csv", tmp_path / "meta.csv")
    assert command_line.run("score", "model", table, tiles, "out/here") == 0

    written = sorted(path.name for path in (tmp_path / "out/here").iterdir())
    assert written == ["predictions.csv", "unreadable.csv"]
    found = pd.read_csv(tmp_path / "out/here/predictions.csv")
    expected = pd.read_csv(repository / "calibrated/submission.csv")
    assert found["isic_id"].tolist() == expected["isic_id"].tolist()
    odds = [np.log(p / (1 - p)) for p in (found["probability"], expected["target"])]
    np.testing.assert_allclose(*odds, atol=1e-5)
    assert found["probability"].rank().tolist() == expected["target"].rank().tolist()


def test_the_bundle_says_how_well_it_agrees_with_the_scores_that_were_evaluated(repository):
    agreement = json.loads((repository / "bundle/card.json").read_text())["agreement"]

    assert agreement["n_lesions"] == 30
    assert agreement["largest_difference"].keys() == {"network", "table", "probability"}
    assert max(agreement["largest_difference"].values()) < 1e-5
    assert agreement["same_ranking"]


def test_an_image_only_network_runs(work):
    write_params(
        work,
        encode={"numeric": [], "categorical": []},
        train={"n_epochs": 1, "n_seeds": 2},
        augment={"brightness": OFF, "contrast": OFF, "quarter_turn": {"rate": 0.0}},
    )
    for name in ("encode", "train", "predict", "explain"):
        run(name, *command(name))

    assert (work / "models/fold-0/seed-1/network.weights.h5").exists()
    assert set(pd.read_csv(work / "explanations/importance.csv")["feature"]) == {"tile"}
    assert len(pd.read_csv(work / "predictions/submission.csv")) == 30


def test_a_table_only_network_runs(work):
    write_params(work, model={"backbone": "none"})
    tiles = work / RAW / "train-image.hdf5"
    whole = tiles.read_bytes()
    tiles.write_bytes(b"is not read")
    run("train", *command("train"))
    tiles.write_bytes(whole)
    run("predict", *command("predict"))

    assert pd.read_csv(work / "predictions/submission.csv")["target"].nunique() > 20


def test_a_folder_without_tiles_is_learnt_from_by_its_tables_with_several_seeds(work):
    write_params(work, model={"backbone": "none"}, train={"n_epochs": 2, "n_seeds": 2})
    for half in ("train", "test"):
        (work / RAW / f"{half}-image.hdf5").unlink()
    said = {
        name: run(name, *command(name, images="."))
        for name in STAGES
        if name not in ("synthesize", "split", "resample", "encode")
    }

    assert "it has no tiles" in said["check"]
    assert "left out, since a table cannot give them: colour of the tile" in said["derive"]
    gallery = pd.read_csv(work / "explanations/gallery.csv")
    assert gallery["tile"].isna().all()
    report = (work / "metrics/report.html").read_text()
    assert gallery["isic_id"].iloc[0] in report
    assert "Fold 0, seed 1" in report
    assert "seeds of the network" in report
    assert pd.read_csv(work / "predictions/network-test.csv")["network_sd_seeds"].min() > 0
    agreement = json.loads((work / "bundle/card.json").read_text())["agreement"]
    assert max(agreement["largest_difference"].values()) < 1e-5
    assert pd.read_csv(work / "calibrated/submission.csv")["target"].nunique() > 5


# === Refusals ===


def empty(path: str):
    return lambda work: (work / path).unlink()


def text(path: str):
    return lambda work: (work / path).write_text("nothing of the kind\n")


def with_params(**changes):
    return lambda work: write_params(work, **changes)


def with_block(line: str):
    def change(work):
        path = work / "params.yaml"
        path.write_text(path.read_text() + line)

    return change


def without_column(path: str, column: str):
    def change(work):
        pd.read_csv(work / path).drop(columns=column).to_csv(work / path, index=False)

    return change


def copied(source: str, target: str):
    return lambda work: shutil.copytree(work / source, work / target)


def with_column(path: str, column: str, value: object):
    def change(work):
        pd.read_csv(work / path).assign(**{column: value}).to_csv(work / path, index=False)

    return change


def cut(path: str, n_bytes: int):
    return lambda work: (work / path).write_bytes((work / path).read_bytes()[:-n_bytes])


TRAIN, TEST = f"{RAW}/train-metadata.csv", f"{RAW}/test-metadata.csv"
REFUSALS = {
    "missing table": ("check", empty(TRAIN), "train-metadata.csv must be a metadata table"),
    "missing tiles": ("check", empty(f"{RAW}/train-image.hdf5"), "There is none"),
    "tiles of another format": (
        "check",
        text(f"{RAW}/test-image.hdf5"),
        "test-image.hdf5 must be an HDF5 file",
    ),
    "no target": ("check", without_column(TRAIN, "target"), "must have a column 'target'"),
    "feature known in training only": (
        "encode",
        with_params(encode={"numeric": ["age_approx", "tbp_lv_dnn_lesion_confidence"]}),
        "'tbp_lv_dnn_lesion_confidence' is known only in training",
    ),
    "misspelt feature": (
        "encode",
        with_params(encode={"numeric": ["age_aprox"]}),
        "'age_aprox' is no column of the table. Did you mean 'age_approx'?",
    ),
    "unknown param": (
        "split",
        with_params(split={"n_fold": 3}),
        "params.yaml: split.n_fold is not a known key. Did you mean 'n_folds'?",
    ),
    "param of another type": (
        "train",
        with_params(train={"n_epochs": "many"}),
        "params.yaml: train.n_epochs must be",
    ),
    "param of another block": (
        "train",
        with_params(augment={"hue": {"rate": 2.0, "max_change": 0.1}}),
        "params.yaml: augment.hue.rate must be",
    ),
    "block that does not exist": (
        "validate",
        with_block("trian: {n_epochs: 3}\n"),
        "params.yaml: trian is not a known key. Did you mean 'train'?",
    ),
    "param of the last stage": (
        "validate",
        with_params(export={"float16": "yes"}),
        "params.yaml: export.float16 must be a valid boolean. Got 'yes' instead.",
    ),
    "params of two blocks that do not agree": (
        "validate",
        with_params(train={"fitted": "head"}),
        "where train.fitted is head, model must have tabular_units: []",
    ),
    "weights that are no file": (
        "validate",
        with_params(model={"weights": "weights.h5", "backbone": "efficientnetv2_b0"}),
        "model.weights must be none, imagenet or a file. Got 'weights.h5'.",
    ),
    "engine that has no such precision": (
        "validate",
        with_params(keras={"precision": "mixed_float16"}, predict={"engine": "litert"}),
        "predict.engine must be keras where keras.precision is mixed_float16.",
    ),
    "missing encoder": (
        "train",
        empty("data/processed/fold-0/encoder.json"),
        "encoder.json must be an encoder",
    ),
    "missing training tile": (
        "check",
        lambda work: h5py.File(work / RAW / "train-image.hdf5", "w").close(),
        "it has no tile in",
    ),
    "missing model": (
        "predict",
        lambda work: shutil.rmtree(work / "models/fold-0"),
        "models must hold folders fold-K. It holds none.",
    ),
    "model of an earlier setting": (
        "predict",
        copied("models/fold-0", "models/fold-1"),
        "rm -r models/fold-1",
    ),
    "baseline that is no column": (
        "evaluate",
        with_params(evaluate={"baseline": "diameter"}),
        "evaluate.baseline must be a column of the table, or null. Got 'diameter' instead.",
    ),
    "missing calibrator": (
        "evaluate",
        empty("calibrated/calibration.json"),
        "calibrated/calibration.json must be a calibrator",
    ),
    "missing scores": (
        "calibrate",
        empty("predictions/oof.csv"),
        "predictions/oof.csv must be a metadata table. There is no such file.",
    ),
    "figures of another kind": (
        "report",
        text("metrics/details.json"),
        "metrics/details.json: Invalid JSON",
    ),
    "test table without a feature": (
        "predict",
        without_column(TEST, "age_approx"),
        "test-metadata.csv must have a column 'age_approx'",
    ),
    "test table that was cut off": (
        "predict",
        cut(TEST, 200),
        "test-metadata.csv must have as many fields in each row as in its header, 44. Line 31 has",
    ),
    "test table of unknown categories": (
        "predict",
        with_column(TEST, "sex", "m"),
        "test-metadata.csv: sex: it must have values that training had. Got only 'm' (30)",
    ),
    "feature that only the training table has": (
        "check",
        without_column(TEST, "age_approx"),
        "test-metadata.csv: must have the feature 'age_approx'",
    ),
    "ages that cannot be": (
        "check",
        with_column(TRAIN, "age_approx", 999),
        "train-metadata.csv: age_approx must be in [0, 120] years. Got 999 first (240)",
    ),
    "strict scoring of a missing tile": (
        "predict",
        lambda work: (
            write_params(work, predict={"strict": True}),
            h5py.File(work / RAW / "test-image.hdf5", "w").close(),
        ),
        "it has no tile in",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_bad_input_is_refused_with_code_1_and_without_traceback(work, capfd, case):
    name, spoil, expected = REFUSALS[case]
    spoil(work)
    with pytest.raises(SystemExit) as caught:
        run(name, *command(name))
    stderr = capfd.readouterr().err

    assert caught.value.code == 1
    assert "error: " in stderr
    assert expected in stderr
    assert "Traceback" not in stderr


OUTPUTS = {
    "split": "data/interim/folds.csv",
    "predict": "predictions",
    "evaluate": "metrics/plots",
    "report": "metrics/report.html",
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_an_output_below_a_file_is_one_line_without_traceback(work, capfd, name):
    (work / "file").touch()
    words = command(name)
    words[words.index(OUTPUTS[name])] = "file/below/it"
    with pytest.raises(SystemExit) as caught:
        run(name, *words)
    said = capfd.readouterr().err.splitlines()[-1]

    assert caught.value.code == 1
    assert said.startswith("error: ")
    assert "file/below" in said
    assert "Not a directory" in said


# === With DVC, again ===


def test_a_clone_elsewhere_makes_the_same_bytes(repository, clone):
    folder, process = clone

    assert process.wait() == 0, (folder.parent / "log").read_text()
    assert shell(folder, "dvc commit --force").returncode == 0
    assert (folder / "dvc.lock").read_bytes() == (repository / "dvc.lock").read_bytes()
    assert shell(folder, "git status --porcelain").stdout == ""  # nor do the metrics in git differ


def test_two_runs_are_compared_by_name_and_by_file(repository):
    compare = "PYTHONPATH=src python -m skinlesion.cli compare"
    again = shell(repository, f"{compare} HEAD calibrated/holdout.csv")
    nowhere = shell(repository, f"{compare} HEAD no-such-run")

    assert again.returncode == 0, again.stderr
    assert again.stdout.count("no difference shown") == 2
    assert nowhere.returncode == 1
    assert "error: no-such-run must be a file of scores, or a revision" in nowhere.stderr
    assert "Traceback" not in nowhere.stderr


def test_bad_data_stops_the_pipeline_and_checkout_brings_the_results_back(repository):
    lesions = repository / "data/interim/lesions.csv"
    before = lesions.read_bytes()
    shutil.copytree(repository / RAW, repository / "data/raw/mine")
    (repository / "data/raw/mine/train-image.hdf5").write_text("nothing of the kind")
    write_params(repository, data={"raw": "data/raw/mine"})
    failed = shell(repository, "dvc repro")
    kept = [path.exists() for path in (repository / "models/fold-0", repository / "predictions")]
    shell(repository, "git checkout --quiet . && dvc checkout")

    assert failed.returncode != 0
    assert "error: data/raw/mine/train-image.hdf5 must be an HDF5 file" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert kept == [True, True]
    assert lesions.read_bytes() == before
    assert shell(repository, "git status --porcelain").stdout == ""
    assert "up to date" in shell(repository, "dvc status").stdout
