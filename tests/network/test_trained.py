"""network.trained: a model's folder holds all that scoring needs, and nothing that is run."""

import json
import pickletools
import shutil

import h5py
import keras
import numpy as np
import pandas as pd
import pytest
from tests.dataset.test_recognition import LFS as POINTER

from skinlesion.dataset import fold_seed
from skinlesion.errors import InputError
from skinlesion.features import tabular
from skinlesion.network import model, trained

pytestmark = pytest.mark.usefixtures("keras_started")

FACTS = {
    "prior_shift": 1.25,
    "best_epoch": 2,
    "validation": {"validation/pauc": 0.15},
    "backend": "tensorflow",
    "precision": "float32",
}
ENCODE = {
    "numeric": ["age_approx"],
    "categorical": ["sex"],
    "scaling": "robust",
    "missing": "median",
    "min_category_count": 1,
}
LESIONS = pd.DataFrame({"age_approx": [40.0, 60.0, 80.0], "sex": ["male", "female", "male"]})
LFS = POINTER.decode()
FILES = ["architecture.json", "encoder.json", "facts.json", "network.weights.h5"]


@pytest.fixture
def encoder():
    return tabular.fit(LESIONS, tabular.Params(**ENCODE))


@pytest.fixture
def parts(architecture, encoder):
    """What is saved beside the weights."""

    def make(**changes) -> dict:
        return {
            "architecture": architecture(n_features=len(encoder.names), **changes),
            "encoder": encoder,
            "facts": trained.Facts(**FACTS, versions={"keras": "3"}, inputs_md5={}),
        }

    return make


@pytest.fixture
def saved(tmp_path, parts):
    """The folder of a small model, to be spoilt."""
    small = parts(backbone="none")
    trained.save(tmp_path / "model", model.build(small["architecture"]), **small)
    return tmp_path / "model"


def logits(m) -> np.ndarray:
    rng = np.random.default_rng(0)
    inputs = {
        "image": rng.integers(0, 256, (4, 32, 32, 3), dtype=np.uint8),
        "tabular": rng.normal(size=(4, 5)).astype(np.float32),
    }
    return np.asarray(m({name: inputs[name] for name in m.input}, training=False))


@pytest.mark.parametrize("changes", [{}, {"backbone": "none"}, {"head_units": [4]}])
def test_a_loaded_model_scores_as_the_saved_one_to_the_bit(tmp_path, parts, changes):
    given = parts(**changes)
    network = model.build(given["architecture"])
    trained.save(tmp_path / "model", network, **given)
    found = trained.load(tmp_path / "model")

    assert np.array_equal(logits(found.logits), logits(model.logits_of(network)))
    assert found.encoder == given["encoder"]
    assert found.architecture == given["architecture"]
    assert found.facts == given["facts"]


def test_the_same_model_is_the_same_bytes(tmp_path, parts):
    given, weights = parts(), None
    for name in ("one", "two"):
        keras.utils.clear_session()  # KerasCV numbers the names of its layers within a process
        network = model.build(given["architecture"])
        weights = weights or network.get_weights()
        network.set_weights(weights)
        trained.save(tmp_path / name, network, **given)

    assert sorted(file.name for file in (tmp_path / "one").iterdir()) == FILES
    for name in FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_nothing_in_the_folder_is_a_pickle(saved):
    for file in saved.iterdir():
        with pytest.raises(ValueError, match=r"opcode|pickle exhausted|not enough"):
            list(pickletools.genops(file.read_bytes()))


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_an_error_that_names_it(saved, name):
    (saved / name).unlink()
    with pytest.raises(InputError, match=rf"model/{name} must "):
        trained.load(saved)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a": 1}', "null", "[" * 100_000, LFS])
@pytest.mark.parametrize("name", FILES)
def test_a_file_of_another_content_is_an_error_that_names_it(saved, name, content):
    (saved / name).write_text(content)
    with pytest.raises(InputError, match=rf"model/{name} must "):
        trained.load(saved)


@pytest.mark.parametrize("name", FILES)
def test_a_git_lfs_pointer_in_the_place_of_a_file_is_called_so(saved, name):
    (saved / name).write_text(LFS)
    with pytest.raises(InputError, match=rf"model/{name} must .*(Git LFS|Expecting value)"):
        trained.load(saved)


@pytest.mark.parametrize(
    ("changes", "remark"),
    [
        ({"age_approx": {"center": "x"}}, "must be an encoder"),
        ({"age_approx": {}}, "must be an encoder"),
        ({"age_approx": None}, "must be an encoder"),
        ({"age_approx": 3}, "must be an encoder"),
    ],
)
def test_an_encoder_that_cannot_encode_is_refused(saved, changes, remark):
    encoder = json.loads((saved / "encoder.json").read_text())
    encoder["numeric"] |= changes
    (saved / "encoder.json").write_text(json.dumps(encoder))
    with pytest.raises(InputError, match=remark):
        trained.load(saved)


def test_every_number_of_an_encoder_must_be_one(saved):
    whole = json.loads((saved / "encoder.json").read_text())
    for key, value in whole["numeric"]["age_approx"].items():
        if not isinstance(value, bool):
            spoilt = json.loads(json.dumps(whole))
            spoilt["numeric"]["age_approx"][key] = "forty"
            (saved / "encoder.json").write_text(json.dumps(spoilt))
            with pytest.raises(InputError, match="must be an encoder"):
                trained.load(saved)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(saved, value):
    with h5py.File(saved / "network.weights.h5", "r+") as file:
        name = file.visititems(lambda name, entry: name if getattr(entry, "size", 0) else None)
        file[name][...] = value
    with pytest.raises(InputError, match=r"network\.weights\.h5 must hold .* Some are not finite"):
        trained.load(saved)


def test_layers_that_the_file_cannot_hold_are_refused_before_memory_is_taken(saved):
    architecture = json.loads((saved / "architecture.json").read_text())
    architecture["model"]["tabular_units"] = [10**6, 10**6]
    (saved / "architecture.json").write_text(json.dumps(architecture))
    with pytest.raises(InputError, match=r"It has [\d,]+ bytes, they take 4,000,020,000,000"):
        trained.load(saved)


def test_a_network_without_any_input_is_refused(saved):
    architecture = json.loads((saved / "architecture.json").read_text()) | {"n_features": 0}
    (saved / "architecture.json").write_text(json.dumps(architecture))
    nothing = {"numeric": {}, "categorical": {}, "constant": []}
    (saved / "encoder.json").write_text(json.dumps(nothing))
    with pytest.raises(InputError, match=r"architecture\.json: the network must have a backbone"):
        trained.load(saved)


@pytest.mark.parametrize("field", [*FACTS, "versions", "inputs_md5"])
def test_facts_without_a_field_are_refused(saved, field):
    facts = json.loads((saved / "facts.json").read_text())
    del facts[field]
    (saved / "facts.json").write_text(json.dumps(facts))
    with pytest.raises(InputError, match=rf"facts\.json must be the facts of a model.*\s*{field}"):
        trained.load(saved)


@pytest.mark.parametrize("changes", [{"tabular_units": [9]}, {"head_units": [4]}])
def test_weights_of_another_architecture_are_refused(saved, architecture, changes):
    plan = architecture(n_features=5, backbone="none", **changes)
    (saved / "architecture.json").write_text(plan.model_dump_json())
    expected = r"network\.weights\.h5 must hold the weights of the architecture beside it\. ."
    with pytest.raises(InputError, match=expected):
        trained.load(saved)


def test_an_encoder_of_another_number_of_features_is_refused(saved):
    p = tabular.Params(**ENCODE | {"categorical": []})
    tabular.save(tabular.fit(LESIONS, p), saved / "encoder.json")
    with pytest.raises(InputError, match=r"model: the encoder must give 5 features\. Got 1"):
        trained.load(saved)


# === Folds and seeds ===


def test_the_models_of_folds_and_seeds_are_loaded_in_their_order(tmp_path, saved):
    expected = fold_seed.every([10, 2], 2)
    for one in expected:
        shutil.copytree(saved, tmp_path / "models" / one.path, dirs_exist_ok=True)

    assert list(trained.load_folds(tmp_path / "models", expected=expected[::-1])) == expected


def test_a_fold_without_its_first_seed_is_an_error_that_names_a_file(tmp_path, saved):
    shutil.copytree(saved, tmp_path / "models/fold-0/seed-1")
    with pytest.raises(InputError, match=r"fold-0/architecture\.json must "):
        trained.load_folds(tmp_path / "models", expected=fold_seed.every([0], 2))
