"""bundle.export: the same inputs give the same bytes, of plain files alone."""

import json
import shutil

import pandas as pd
import pytest
from scipy.special import logit
from tests import bundles

from skinlesion.bundle import export, manifest, networks, runtime
from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.errors import InputError
from skinlesion.features import tabular

PLAIN = {".json", ".md", ".txt", ".tflite"}


@pytest.fixture
def write(made, tmp_path):
    def write(name: str = "bundle", **changes) -> None:
        (tmp_path / "calibrated").mkdir(exist_ok=True)
        for file in ("combination.json", "calibration.json"):
            shutil.copy(made / "both" / file, tmp_path / "calibrated" / file)
        given = {}
        for k in (0, 1):
            folder = made / "both" / "network" / f"fold-{k}"
            facts = networks.Facts.model_validate_json((folder / "facts.json").read_bytes())
            content = (folder / "network.tflite").read_bytes()
            given[FoldSeed(k)] = export.Network(
                content, tabular.load(folder / "encoder.json"), facts
            )
        where = {"experts": made / "experts", "features": made} | changes
        where |= {"calibrated": tmp_path / "calibrated", "profile": made / "profile.json"}
        fitted = export.Fitted(**where)
        settings = runtime.Settings(n_views=1, unreadable_logit=-3.0)
        export.write(tmp_path / name, given, fitted, (bundles.DERIVE, settings))

    return write


def test_it_is_the_bundle_of_the_same_inputs_byte_for_byte(made, write, tmp_path):
    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "of-an-earlier-run.txt").write_text("")
    write()
    shutil.copy(made / "both" / "card.json", tmp_path / "bundle")
    sealed = manifest.write(tmp_path / "bundle")

    assert sealed.files == manifest.checked(made / "both").files
    assert sealed.checksum == manifest.checked(made / "both").checksum


def test_nothing_in_it_is_code_or_pickled(made):
    files = [f for f in (made / "both").rglob("*") if f.is_file()]

    assert {f.suffix for f in files} <= PLAIN
    assert not any(f.read_bytes()[:1] == b"\x80" for f in files)  # how a pickle begins
    assert len(files) == 23


def test_experts_of_a_fold_that_is_not_there_are_named(made, write, tmp_path):
    (tmp_path / "experts").mkdir()
    shutil.copytree(made / "experts" / "fold-0", tmp_path / "experts" / "fold-0")
    with pytest.raises(InputError, match=r"fold-1 must be a model\. There is none"):
        write(experts=tmp_path / "experts")


def test_what_stands_for_an_unreadable_tile_is_the_networks_median_out_of_fold(tmp_path):
    oof = pd.DataFrame({"isic_id": list("ABC"), "score": [0.9, 0.9, 0.9]})
    oof.assign(member_network=[0.1, 0.2, 0.6]).to_csv(tmp_path / "oof.csv", index=False)

    assert export.middle(tmp_path) == pytest.approx(logit(0.2))


def test_it_says_what_it_wrote(made):
    said = export.summary(made / "both", manifest.checked(made / "both"))

    assert "22 files" in said
    size = sum(f.stat().st_size for f in (made / "both").rglob("*.*") if f.name != manifest.NAME)
    assert f"{size / 1e6:.1f} MB" in said
    assert json.loads((made / "both" / manifest.NAME).read_text())["format"] == 1
