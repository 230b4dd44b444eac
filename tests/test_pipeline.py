"""dvc.yaml and params.yaml tell the truth about the code, and the code about them."""

import json
import os
import re
import runpy
import shlex
import subprocess
import sys
from modulefinder import ModuleFinder
from pathlib import Path

import jsonschema
import pytest
from dvc.repo import Repo
from ruamel.yaml import YAML

from skinlesion import params
from skinlesion.evaluation import curves

ROOT = Path(__file__).parents[1]
PIPELINE = YAML(typ="safe").load(ROOT / "dvc.yaml")
STAGES = PIPELINE["stages"]
PARAMS = YAML(typ="safe").load(ROOT / "params.yaml")
WHOLE = runpy.run_path(str(ROOT / "stages" / "validate.py"))["Params"]
BLOCKS = {name: field.annotation for name, field in WHOLE.model_fields.items()}
WITH_A_NETWORK = ("validate", "train", "predict", "explain", "export")
OF_NETWORKS = {"tensorflow", "keras", "keras_cv", "jax", "torch"}
PACKAGE = "src/skinlesion"
NOT_A_FILE = "${item.fold}"  # an argument that says which fold
VALIDATED = "data/interim/params.schema.json"  # what the first stages wait for, and do not read


def paths(entries: list) -> set[str]:
    return {e if isinstance(e, str) else next(iter(e)) for e in entries}


def outs(stage: dict) -> list:
    return [*stage.get("outs", []), *stage.get("metrics", []), *stage.get("plots", [])]


def words(name: str) -> list[str]:
    given = STAGES[name]["cmd"]
    return shlex.split(given if isinstance(given, str) else given[-1])


def script(name: str) -> str:
    *variables, source, interpreter, path = words(name)[: words(name).index("python") + 2]
    assert (source, interpreter) == ("PYTHONPATH=src", "python")
    backend = {"export": "tensorflow"}.get(name, "${keras.backend}")  # whose converter it is
    assert variables == ([f"KERAS_BACKEND={backend}"] if name in WITH_A_NETWORK else [])
    return path


def modules_of(path: str) -> ModuleFinder:
    finder = ModuleFinder(path=[str(ROOT / "src")])  # compiles, does not run
    finder.run_script(str(ROOT / path))
    return finder


def imported(path: str) -> set[str]:
    finder = modules_of(path)
    files = [Path(m.__file__) for m in finder.modules.values() if m.__file__]
    return {f.relative_to(ROOT).as_posix() for f in files}


def code_of(name: str) -> set[str]:
    """The part of a stage's deps that is code: its script, rooms, modules outside a room."""
    return {path for path in paths(STAGES[name]["deps"]) if path.startswith(("src/", "stages/"))}


def room(module: str) -> str:
    """The folder of a module of the package; the module itself, where it lies in no room."""
    folder, name = module.rsplit("/", 1)
    return module if folder == PACKAGE and name != "__init__.py" else folder


def keys(tree: object) -> set[str]:
    children = tree.values() if isinstance(tree, dict) else []
    return set(tree if isinstance(tree, dict) else []).union(*map(keys, children))


def lookup(key: str) -> object:
    value = PARAMS
    for part in key.split("."):
        value = value[part]
    return value


# === dvc.yaml ===


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_runs_the_script_of_its_name(name):
    assert script(name) == f"stages/{name}.py"


def test_every_script_is_a_stage():
    assert {path.stem for path in (ROOT / "stages").glob("*.py")} == STAGES.keys()


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_each_room_that_it_imports_and_on_no_other(name):
    assert code_of(name) == {script(name), *map(room, imported(script(name)) - {script(name)})} - {
        PACKAGE
    }


@pytest.mark.parametrize("name", STAGES)
def test_no_stage_depends_on_the_package_as_a_whole(name):
    assert PACKAGE not in code_of(name)


def test_training_runs_again_only_for_what_a_trained_network_depends_on():
    """Hours of it must not be lost to a new chart, a new measure or a new command."""
    rooms = {path.removeprefix(f"{PACKAGE}/") for path in code_of("train")} - {script("train")}

    assert rooms <= {
        *("command.py", "errors.py", "params.py", "metrics.py", "quiet.py"),
        *("dataset", "features", "network", "training"),
    }


@pytest.mark.parametrize("name", STAGES)
def test_only_a_stage_with_a_network_names_what_networks_are_made_with(name):
    """Not within a function either."""
    named = {module.split(".")[0] for module in modules_of(script(name)).any_missing()}

    assert bool(named & OF_NETWORKS) == (name in WITH_A_NETWORK)


def test_stages_without_a_network_load_none_through_other_packages():
    """They would take seconds and half a gigabyte to do nothing with."""
    load = "import runpy, sys; [runpy.run_path(p) for p in sys.argv[1:]]; print(*sys.modules)"
    scripts = [str(ROOT / script(name)) for name in STAGES if name not in WITH_A_NETWORK]
    env = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    ran = subprocess.run([sys.executable, "-c", load, *scripts], env=env, capture_output=True)

    assert ran.returncode == 0, ran.stderr
    assert not OF_NETWORKS & set(ran.stdout.decode().split())


@pytest.mark.parametrize("name", STAGES)
def test_a_command_line_shows_every_file_in_and_out(name):
    stage = STAGES[name]
    data = paths(stage["deps"]) - code_of(name)
    shown = [word for word in words(name)[words(name).index(script(name)) + 1 :]]
    shown = [word for word in shown if word != NOT_A_FILE and not word.startswith("--")]

    assert set(shown) == data - {VALIDATED} | paths(outs(stage))
    assert len(shown) == len(set(shown))


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_says_in_a_sentence_what_it_does(name):
    assert re.fullmatch(r"[A-Z].{10,80}\.", STAGES[name]["desc"])


@pytest.mark.parametrize("name", STAGES)
def test_the_params_of_a_stage_are_those_it_loads(name):
    text = (ROOT / script(name)).read_text()
    loaded = BLOCKS.keys() if "load_whole(" in text else re.findall(r'params\.load\("(\w+)"', text)

    assert {key.split(".")[0] for key in STAGES[name]["params"]} == set(loaded)


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_per_fold_has_the_fold_in_the_name_of_each_out(name):
    per_fold = "matrix" in STAGES[name]

    assert all((NOT_A_FILE in path) == per_fold for path in paths(outs(STAGES[name])))


def test_no_two_stages_write_the_same_path():
    written = [path for stage in STAGES.values() for path in paths(outs(stage))]

    assert len(written) == len(set(written))


@pytest.mark.parametrize("name", STAGES)
def test_only_cheap_stages_write_what_the_cache_does_not_keep(name):
    uncached = [e for e in outs(STAGES[name]) if isinstance(e, dict)]

    assert all(options == {"cache": False} for e in uncached for options in e.values())
    assert bool(uncached) == (name in ("check", "shift", "evaluate"))


def test_the_plots_are_of_curves_that_evaluate_draws_or_train_logs():
    shown = {}
    for plot in PIPELINE["plots"]:
        for of in plot.values():
            for path, columns in of["y"].items():
                shown[path] = {of["x"], *([columns] if isinstance(columns, str) else columns)}
    drawn = {
        f"metrics/plots/{scored}_{curve}.csv": set(columns)
        for scored in ("holdout", "oof")
        for curve, columns in curves.CURVES.items()
    }

    logged = {
        f"metrics/train/fold-0/plots/metrics/{side}/{name}.tsv": {"step", name}
        for side, names in {"train": ["loss"], "validation": ["loss", "pauc"]}.items()
        for name in names
    }

    known = drawn | logged
    assert all(names <= known.get(path, set()) for path, names in shown.items())
    assert {path for path in drawn if "before" not in path} <= shown.keys()


def test_a_fresh_clone_draws_every_plot_whose_files_are_in_git(tmp_path):
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{ROOT}", clone], check=True)
    env = os.environ | {"DVC_SITE_CACHE_DIR": str(tmp_path / "site")}
    line = [sys.executable, "-m", "dvc", "plots", "show", "--json", "--out", tmp_path / "plots"]
    ran = subprocess.run(line, cwd=clone, env=env, capture_output=True, text=True)
    drawn = {name for name, of in json.loads(ran.stdout)["data"].items() if any(of)}

    in_git = set(subprocess.check_output(["git", "ls-files"], cwd=clone, text=True).split())
    plots = YAML(typ="safe").load(clone / "dvc.yaml")["plots"]
    files = {name: set(of["y"]) for plot in plots for name, of in plot.items()}
    assert drawn == {name for name, needed in files.items() if needed <= in_git}
    assert len(drawn) >= 4


# === params.yaml ===


@pytest.mark.parametrize("name", BLOCKS)
def test_the_defaults_of_a_block_are_accepted(name):
    loaded = params.load(name, BLOCKS[name], ROOT / "params.yaml")

    assert loaded.model_dump().keys() == PARAMS[name].keys()


def test_every_block_has_a_class_and_no_other():
    assert list(PARAMS) == list(BLOCKS)


def test_the_schema_takes_params_yaml_and_refuses_what_the_blocks_refuse():
    """An editor reads it; what a block's own function forbids, it cannot say."""
    schema = jsonschema.Draft202012Validator(WHOLE.model_json_schema())
    assert not list(schema.iter_errors(PARAMS))

    for wrong in ({"trian": {}}, {"export": {"float16": 1, "onnx": False}}, {"split": {}}):
        assert list(schema.iter_errors(PARAMS | wrong)), wrong


def test_every_block_is_a_stages_but_that_of_the_gate():
    stages = [stage for name, stage in STAGES.items() if name != "validate"]
    used = {key.split(".")[0] for stage in stages for key in stage["params"]}

    assert used | {"pull_request"} == PARAMS.keys()


@pytest.mark.parametrize("name", STAGES)
def test_every_param_of_a_stage_exists(name):
    interpolated = re.findall(r"\$\{([a-z_.]+)\}", str(STAGES[name]))
    for key in [*STAGES[name]["params"], *interpolated]:
        assert key == "item.fold" or lookup(key) is not None


def test_no_param_has_a_name_that_the_run_cache_ignores():
    assert not keys(PARAMS) & {"size", "nfiles", "md5", "hash", "isexec"}


# === .dvc/config ===


def test_dvc_sends_no_analytics():
    assert re.search(r"^\s*analytics = false$", (ROOT / ".dvc" / "config").read_text(), re.M)


# === .gitignore ===


def test_dvc_sees_what_is_added_under_data_raw():
    """Else the next `dvc exp run` removes data that a .dvc file tracks, as unused."""
    with Repo(str(ROOT)) as repo:
        assert not repo.scm.is_ignored(f"{ROOT}/data/raw/")
        assert repo.scm.is_ignored(f"{ROOT}/data/raw/isic-2024/")
