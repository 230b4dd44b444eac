"""Make small bundles, and score the same lesions with the code of the pipeline's stages."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from tests import boost_numbers, scorings

from skinlesion.boosting import expert, fold
from skinlesion.bundle import card, export, manifest, networks, runtime
from skinlesion.dataset import fold_seed, metadata, stores
from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.derivation import numbers, parquet, plan, tiles
from skinlesion.evaluation import calibration, combination
from skinlesion.features import tabular
from skinlesion.network import backend, model, trained
from skinlesion.reporting import statements
from skinlesion.scoring import conversion, lesions, members, predict, scale, spread
from skinlesion.shift import profile

CARD = {
    "notice": statements.NOTICE,
    "name": "a test",
    "operating_points": [{"name": "specificity 90 %", "threshold": 0.1}],
    "look_budget": [],
}
DERIVE = plan.Params(
    base=["age_approx", "tbp_lv_areaMM2", "tbp_lv_H", "tbp_lv_L"],
    derived=["log_area", "diameter_times_age"],
    tile=["colour"],
    categorical=["sex", "anatom_site_general"],
    relative=plan.Relative(
        patient=["z", "rank", "count", "area", "outlying"], patient_site=["z"], patient_location=[]
    ),
    min_lesions=3,
)
CALIBRATOR = calibration.Calibrator(
    method="platt", reason="", slope=0.7, intercept=-0.4, n_lesions=9, n_positives=3
)
# By kind: what of the network there is, the weights of the members, and the views of a tile.
KINDS = {
    "both": ({}, {"network": 0.4, "table": 0.6}, 1),
    "seeds": ({}, {"network": 0.5, "table": 0.5}, 8),
    "image": ({"n_features": 0}, {"network": 1.0}, 1),
    "table": ({"backbone": "none"}, {"network": 0.3, "table": 0.7}, 1),
}
SIZES = (32, 48)  # of the tiles that the folds' networks take


def make(challenge: str, folder: str) -> None:
    """Write a bundle of each kind under `folder`, and what the pipeline scores: KIND.csv."""
    data, out = Path(challenge), Path(folder)
    backend.start(backend.Params(backend="tensorflow", precision="float32", seed=0))
    write_experts(data, out)
    write_profile(data, out / "profile.json")
    for kind, (changes, weights, n_views) in KINDS.items():
        n_seeds = 2 if kind == "seeds" else 1
        by_fold = {one: network(data, one, **changes) for one in fold_seed.every((0, 1), n_seeds)}
        found = combination.Combination(
            method="logistic" if len(weights) > 1 else "one", weights=weights, ranks={}
        )
        write_bundle(out / kind, out, by_fold, (found, n_views))
        scored(data, out, by_fold, (found, n_views)).to_csv(out / f"{kind}.csv", index=False)


def write_experts(data: Path, out: Path) -> None:
    """Derive numbers of both tables, and fit an expert per fold."""
    tables = {name: metadata.read(data / f"{name}-metadata.csv") for name in ("train", "test")}
    chosen = plan.make(DERIVE, *tables.values())
    for name, table in tables.items():
        store = stores.open_store(data / f"{name}-image.hdf5")
        measured = tiles.measure(table["isic_id"].tolist(), store, DERIVE.tile)
        found = numbers.compute(table, chosen, DERIVE, tiles=measured)
        parquet.write(out / f"{name}.parquet", table, found, chosen)
    (out / "plan.json").write_text(chosen.model_dump_json())
    folds = tables["train"][["isic_id", "patient_id", "target"]]
    folds.assign(fold=pd.factorize(folds["patient_id"])[0] % 3 - 1).to_csv(
        out / "folds.csv", index=False
    )
    for k in (0, 1):
        result = fold.fit(k, out / "folds.csv", out, boost_numbers.params(min_leaf=5))
        expert.save(out / f"experts/fold-{k}", result.facts, result.fitted)


def write_profile(data: Path, path: Path) -> None:
    """What the training lesions are like, in three columns."""
    lesions = metadata.read(data / "train-metadata.csv")
    patients = profile.numbered(lesions["patient_id"])
    found = profile.columns(lesions[["age_approx", "tbp_lv_H", "sex"]], patients, ["sex"])
    profile.save(path, profile.make(found, None, patients))


def network(data: Path, one: FoldSeed, **changes: object) -> trained.Trained:
    """A network of random weights, those of batch normalisation included."""
    encoder = tabular.fit(metadata.read(data / "train-metadata.csv"), scorings.ENCODE)
    if changes.get("n_features") == 0:
        encoder = tabular.Encoder(numeric={}, categorical={}, constant=())
    p = {"backbone": "tiny", "weights": "none", "image_px": SIZES[one.fold], "image_dropout": 0.0}
    p |= {"tabular_units": [8], "tabular_dropout": 0.0, "head_units": []}
    p |= {name: value for name, value in changes.items() if name != "n_features"}
    plan = model.Architecture(
        model=model.Params(**p), n_features=len(encoder.names), imagenet_input=False
    )
    built, rng = model.build(plan), np.random.default_rng(one)
    built.set_weights([w + rng.uniform(-0.05, 0.08, w.shape) for w in built.get_weights()])
    facts = scorings.FACTS.model_copy(update={"prior_shift": 0.5 + one.fold + one.seed / 4})
    return trained.Trained(model.logits_of(built), encoder, plan, facts)


def write_bundle(
    folder: Path,
    out: Path,
    by_fold: dict[FoldSeed, trained.Trained],
    how: tuple[combination.Combination, int],
) -> None:
    calibrated, given = out / "calibrated", {}
    calibrated.mkdir(exist_ok=True)
    combination.save(calibrated / "combination.json", how[0])
    calibration.save(calibrated / "calibration.json", CALIBRATOR)
    for one, m in by_fold.items():
        facts = networks.Facts(
            fold=one.fold,
            seed=one.seed,
            prior_shift=m.facts.prior_shift,
            image_px=m.image_px,
        )
        content = conversion.litert(conversion.with_features(m.logits))
        given[one] = export.Network(content, m.encoder, facts)
    experts = out / "experts" if "table" in how[0].weights else out / "none"
    if experts.name == "none":
        nothing = expert.Facts(own=[], relative=[], categories={}, modes={}, versions={})
        for k in (0, 1):
            expert.save(experts / f"fold-{k}", nothing, {})
    settings = runtime.Settings(n_views=how[1], unreadable_logit=-3.0)
    fitted = export.Fitted(experts, out, calibrated, out / "profile.json")
    export.write(folder, given, fitted, (DERIVE, settings))
    (folder / card.NAME).write_text(json.dumps(CARD))
    manifest.write(folder)


def scored(
    data: Path,
    out: Path,
    by_fold: dict[FoldSeed, trained.Trained],
    how: tuple[combination.Combination, int],
) -> pd.DataFrame:
    """What stages predict and calibrate would write of the test set."""
    p = scorings.PARAMS.model_copy(update={"n_views": how[1]})
    store = stores.open_store(data / "test-image.hdf5")
    source = lesions.Source(data / "test-metadata.csv", scorings.here(by_fold, store))
    pieces = pd.concat(list(predict.score(by_fold, source, p)), ignore_index=True)
    found = pieces[["isic_id"]].assign(network=scale.probability(pieces["logit"].to_numpy()))
    for name in spread.COLUMNS:
        found[f"network_{name}"] = pieces[name]
    if "table" in how[0].weights:
        tables = members.load(out / "experts", [0, 1])
        by_table = members.score(tables, out / "test.parquet").set_index("isic_id")
        for name in ("table", "table_sd_folds", "table_sd_seeds"):
            found[name] = by_table.loc[found["isic_id"], name].to_numpy()
    score = how[0].score(found)
    apart = how[0].uncertainty(found)
    return found.assign(score=score, probability=CALIBRATOR.probability(score), uncertainty=apart)
