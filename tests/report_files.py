"""The files that a report is made from, with made-up values of the size of real ones."""

import io
import json
import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from scipy.stats import norm

from skinlesion.dataset import fold_seed
from skinlesion.evaluation.members import LABELS
from skinlesion.reporting import inputs

ROOT = Path(__file__).parents[1]
NAMES = (
    *("params.yaml", "data.json", "details.json", "shift.json", "plots", "calibrated"),
    *("explanations", "train", "models", "out.html"),
)
LONG = (
    "Department of Dermatology and Venereology, University Hospital of a City With a Long Name, X"
)
FOUND = ("uncertain", "by_score", "random")
FEATURES = ["tile", "clin_size_long_diam_mm", "tbp_lv_deltaLBnorm", "age_approx", "sex"]


def interval(value: float | None, half: float | None = None) -> dict[str, float | None]:
    """An interval of a value, or one that is not defined."""
    if value is None or half is None:
        return {"value": value, "low": None, "high": None}
    low, high = (round(v, 6) for v in (value - half, value + half))
    # A rate does not exceed 1.
    high = min(high, 1.0) if value <= 1 else high
    return {"value": round(value, 6), "low": low, "high": high}


def risks(slope: float) -> dict[str, Any]:
    return {
        "log_loss": interval(0.1513, 0.021),
        "log_loss_of_base_rate": interval(0.2247, 0.031),
        "log_loss_skill": interval(0.3266, 0.061),
        "brier": interval(0.0412, 0.0061),
        "brier_of_base_rate": interval(0.0557, 0.0093),
        "brier_skill": interval(0.2603, 0.071),
        "slope": interval(slope, 0.17),
        "intercept": interval(-0.112, 0.24),
        "expected_calibration_error": interval(0.0138, 0.0071),
        "expected_calibration_error_of_true_risks": interval(0.0138, 0.0071),
    }


def point(criterion: str, level: float, threshold: float, flagged: float) -> dict[str, Any]:
    found = 11 * flagged**0.28
    return {
        "criterion": criterion,
        "level": level,
        "threshold": threshold,
        "sensitivity": interval(found / 59.3, 0.081),
        "specificity": interval(1 - (flagged - found) / 940.7, 0.014),
        "number_needed_to_examine": interval(flagged / found, 0.61),
        "per_1000": {
            "flagged": interval(flagged, 13.2),
            "found": interval(found, 9.1),
            "missed": interval(59.3 - found, 2.1),
            "false_alarms": interval(flagged - found, 11.5),
        },
    }


def group(attribute: str, name: str, n_lesions: int, n_positives: int) -> dict[str, Any]:
    few = n_positives < 10
    spread = 0.6 / max(n_positives, 1) ** 0.5
    return {
        "attribute": attribute,
        "group": name,
        "n_lesions": n_lesions,
        "n_patients": n_lesions // 11 + 1,
        "n_positives": n_positives,
        "too_few": few,
        "auc": interval(None if few else 0.83 + n_lesions % 13 / 100, spread),
        "sensitivity": interval(None if few else 0.62 + n_lesions % 17 / 60, 2 * spread),
        "specificity": interval(0.9, 0.03),
    }


def scored(n_lesions: int = 1789, n_positives: int = 106) -> dict[str, Any]:
    return {
        "n_lesions": n_lesions,
        "n_positives": n_positives,
        "n_patients": 150,
        "n_patients_with_malignancy": 37,
        "n_crowded_patients": 17,
        "prevalence": n_positives / n_lesions,
        "ranking": {
            "pauc": interval(0.141198, 0.0154),
            "auc": interval(0.9163, 0.0271),
            "average_precision": interval(0.535776, 0.0931),
            "top_k_sensitivity": interval(0.9324, 0.0371),
        },
        "baseline": {
            "column": "clin_size_long_diam_mm",
            "pauc": interval(0.0713, 0.0204),
            "auc": interval(0.7214, 0.0511),
            "pauc_difference": interval(0.0699, 0.0223),
            "auc_difference": interval(0.1949, 0.0487),
        },
        "calibration": {"before": risks(0.842), "after": risks(0.971)},
        "operating_points": [
            point("specificity", 0.9, 0.0932, 142.1),
            point("specificity", 0.95, 0.1871, 84.2),
            point("sensitivity", 0.8, 0.0713, 168.0),
            point("sensitivity", 0.9, 0.0318, 268.4),
            point("sensitivity", 0.95, 0.0119, 401.9),
        ],
        **usefulness(),
        "subgroups": {
            "specificity": 0.9,
            "threshold": 0.0932,
            "absent": ["lighting", "measured background lightness"],
            "groups": [
                group("sex", "female", 701, 39),
                group("sex", "male", 1042, 65),
                group("sex", "missing", 46, 2),
                group("age", "45 to 59", 633, 31),
                group("age", "60 to 74", 712, 58),
                group("attribution", "ACEMID MIA", 112, 7),
                group("attribution", LONG, 1677, 99),
            ],
        },
    }


def usefulness() -> dict[str, Any]:
    """What a look budget finds; where the net benefit is ahead; what a cost ratio spares."""
    rows = [
        {
            "n": n,
            "n_crowded": 37 - n // 2,
            "random": min(1, n / 60),
            "sensitivity": {
                name: interval(1 - lag / (n + 1), 0.05)
                for name, lag in [("model", 0.8), ("alone", 0.9), ("baseline", 1.4)]
            },
        }
        for n in (1, 3, 5, 10, 15, 25, 50)
    ]
    needed = [
        {
            "level": level,
            "lesions": {
                "model": {"value": n, "low": n - 1, "high": n + 3},
                "alone": {"value": n, "low": n, "high": n},
                "baseline": {"value": None, "low": 2 * n, "high": None},
            },
        }
        for level, n in [(0.8, 4.0), (0.9, 7.0), (0.95, 12.0)]
    ]
    cost = point("sensitivity", 0.9, 1 / 21, 213.0)
    cost = {key: cost[key] for key in cost if key not in ("criterion", "level")}
    ways = {"model": interval(249.6, 92.1), "all": interval(940.7), "none": interval(1186.1, 203)}
    return {
        "look_budget": {"n_max": 50, "rows": rows, "needed": needed},
        "net_benefit": {"lowest": 0.0001, "highest": 0.1, "better": [0.00447, 0.1]},
        "cost": {
            **cost,
            "ratio": 20.0,
            "spared": interval(787.0, 13.2),
            "costs": ways,
            "better": "all",
            "saving": interval(691.1, 92.1),
        },
    }


def members() -> dict[str, Any]:
    """What each score reaches, and how far ahead of it the one in use is."""
    measures = {"pauc": 0.12, "auc": 0.89, "top_k_sensitivity": 0.93}
    rows = [
        {
            "column": column,
            "label": label,
            **{name: interval(value - i / 100, 0.02) for name, value in measures.items()},
            "difference": {name: interval(0.01 * (i + 1), 0.012) for name in measures},
        }
        for i, (column, label) in enumerate(LABELS.items())
    ]
    return {"rows": rows, "context": {name: interval(0.02, 0.013) for name in measures}}


def uncertainty() -> dict[str, Any]:
    """How much the spread of logits is worth."""
    bins = [
        {
            "low": 0.03 * i + 0.02,
            "high": 0.03 * i + 0.05,
            "n_lesions": 358,
            "n_positives": 10 + 5 * i,
            "loss": interval(0.06 + 0.02 * i, 0.03),
            "excess": interval(0.01 * i - 0.02, 0.03),
        }
        for i in range(5)
    ]
    areas = {"auc": 0.93, "pauc": 0.151, "sensitivity": 0.89}
    abstaining = {
        **{"share": 0.1, "n_lesions": 179, "n_positives": 16, "n_more": 118},
        "rest": {name: interval(value, 0.03) for name, value in areas.items()},
        "difference": {name: interval(0.004, 0.003) for name in areas},
        "found": {k: interval(0.9 + i / 100, 0.05) for i, k in enumerate(FOUND)},
        "gain": interval(-0.01, 0.004),
    }
    errors = {"bins": bins, "loss": interval(0.33, 0.05), "by_probability": interval(0.91, 0.01)}
    sources = ["seeds of the table expert", "views of the tile"]
    return {"sources": sources, "errors": errors, "abstaining": abstaining}


def shift() -> dict[str, Any]:
    """metrics/shift.json, with a test set of other cameras."""
    names = ["tbp_lv_L", "attribution", "sex", "age_approx", "distance of the image features"]
    columns = [
        {
            "name": name,
            **{"psi": 1.4 / (i + 1) ** 2, "by_chance": 0.01 * (i + 1), "p_value": 1e-5 * 9**i},
            "reading": ["much", "much", "some", "alike", "alike"][i],
            **({} if i == 4 else {"missing": 0.01 * i, "missing_in_training": 0.012}),
            **({"new": {"another clinic": 310}, "vanished": ["acemid mia"]} if i == 1 else {}),
        }
        for i, name in enumerate(names)
    ]
    test = {"n_lesions": 600, "n_patients": None, "n_marked": 31, "columns": columns}
    alike = [column | {"reading": "alike"} for column in columns[2:]]
    holdout = {"n_lesions": 1789, "n_patients": 150, "n_marked": 1, "columns": alike}
    return {
        "training": {"n_lesions": 3300, "n_patients": 284},
        "readings": {"some": 0.1, "much": 0.25, "level": 0.001},
        "sets": {"test": test, "holdout": holdout},
    }


def details(*, primary: str = "holdout", **changes: Any) -> dict[str, Any]:
    """metrics/details.json; `changes` are made to the primary set."""
    beside = {"members": members(), "uncertainty": uncertainty()}
    sets = {"oof": scored(840, 57), primary: scored() | beside | changes}
    calibrator = {"method": "platt", "reason": "", "slope": 0.9, "intercept": -0.1}
    return {
        "primary": primary,
        "bootstrap": {"n_resamples": 1000, "confidence": 0.95, "seed": 5},
        **{"min_tpr": 0.8, "top_k": 15, "min_positives": 10, "min_patients": 6},
        "calibrator": calibrator | {"n_lesions": 840, "n_positives": 57},
        "test": {"n_unreadable": 0},
        "sets": sets,
    }


def data() -> dict[str, Any]:
    train = {
        "n_lesions": 6000,
        "n_patients": 500,
        "lesions_per_patient": {"min": 1, "median": 8.0, "max": 166},
        "n_positives": 400,
        "prevalence": 0.0666667,
        "missing": {"age_approx": 42, "sex": 172, "anatom_site_general": 94},
        "tile_px": {"min": 61, "median": 134.0, "max": 239, "n_not_square": 0},
        "licences": {"CC-BY": 3100, "CC-BY-NC": 2900},
        "attributions": {"ACEMID MIA": 400, LONG: 5600},
    }
    test = {
        "n_lesions": 600,
        "missing": {"sex": 16},
        "tile_px": {"min": 68, "median": 133.5, "max": 239, "n_not_square": 0},
    }
    warning = "test-image.hdf5: it has no tile of that name (2): ISIC_0000003, ISIC_0000004"
    return {"train": train, "test": test, "n_excluded": 0, "warnings": [warning]}


def curves(prevalence: float = 0.0593) -> dict[str, pd.DataFrame]:
    """Curves of scores that are normal in each class, so no noise is needed."""
    x = np.linspace(0, 1, 120)
    tpr = norm.cdf(1.95 + norm.ppf(x))
    precision = 1 / (
        1 + (1 - prevalence) / prevalence * norm.cdf(norm.ppf(x) - 1.95) / x.clip(1e-9)
    )
    precision[0] = precision[1]
    mean = np.geomspace(2e-5, 0.45, 10)
    share = np.where(mean < 0.004, 0, mean**0.93)
    bins = np.linspace(-6, -0.05, 20)
    n, threshold = np.arange(1, 51), np.geomspace(1e-4, 0.1, 61)
    looks = pd.DataFrame({"n": n, "sensitivity": 1 - 0.8 / (n + 1)})
    benefit = pd.DataFrame({"threshold": threshold, "net_benefit": prevalence - threshold / 5})
    everyone = prevalence - (1 - prevalence) * threshold / (1 - threshold)
    return {
        "look_budget": band(looks, 0.05).assign(
            alone=1 - 0.9 / (n + 1), baseline=1 - 1.4 / (n + 1), random=np.minimum(1, n / 60)
        ),
        "net_benefit": band(benefit, 0.3).assign(examine_all=everyone, examine_none=0.0),
        "roc": band(pd.DataFrame({"fpr": x, "tpr": tpr}), 0.05),
        "precision_recall": band(pd.DataFrame({"recall": x, "precision": precision}), 0.08),
        "calibration_before": band(pd.DataFrame({"mean_score": mean, "prevalence": share}), 0.3),
        "calibration": band(pd.DataFrame({"mean_score": mean**0.93, "prevalence": share}), 0.3),
        "scores": pd.DataFrame(
            {
                "score": bins,
                "positives": norm.pdf(bins, -1.2, 0.8) * 0.313,
                "negatives": norm.pdf(bins, -3.3, 1.0) * 0.313,
            }
        ),
    }


def band(points: pd.DataFrame, width: float) -> pd.DataFrame:
    y = points.iloc[:, 1]
    half = width * (y if width > 0.1 else y * (1 - y) * 4)
    return points.assign(low=(y - half).clip(0), high=(y + half).clip(upper=1))


def importance() -> pd.DataFrame:
    rows = []
    for i, feature in enumerate(FEATURES):
        for permuted in ("across", "within"):
            drop = 0.05 / (i + 1) ** 1.5 * (0 if permuted == "within" and i > 2 else 1)
            pauc, auc = interval(drop, 0.012), interval(1.6 * drop, 0.02)
            rows.append([feature, permuted, *pauc.values(), *auc.values()])
    limits = [f"{area}_{what}" for area in ("pauc", "auc") for what in ("drop", "low", "high")]
    return pd.DataFrame(rows, columns=["feature", "permuted", *limits])


def picture(seed: int, px: int = 96) -> bytes:
    y, x = np.mgrid[:px, :px] / px - 0.5
    lesion = np.exp(-((x * (1.1 + seed % 3 / 3)) ** 2 + y**2) * 60)[..., np.newaxis]
    skin, dark = np.array([222, 180, 155]), np.array([110 + 7 * seed, 60, 45])
    file = io.BytesIO()
    Image.fromarray((skin + lesion * (dark - skin)).astype(np.uint8)).save(file, "png")
    return file.getvalue()


def reasons() -> pd.DataFrame:
    rows = [("for", "tbp_lv_H", 0.83), ("for", "log_area", 0.21), ("against", "age_approx", -0.4)]
    table = pd.DataFrame(rows, columns=["side", "number", "contribution"])
    return table.assign(isic_id="ISIC_0000000", value=1.5)


def gallery(n_each: int, *, images: bool) -> pd.DataFrame:
    kinds = ["cancer ranked low"] * n_each + ["benign ranked high"] * n_each
    ids = [f"ISIC_{i:07d}" for i in range(2 * n_each)]
    ranks = [1780 - 83 * i if i < n_each else 3 + 5 * (i - n_each) for i in range(2 * n_each)]
    return pd.DataFrame(
        {
            "kind": kinds,
            "isic_id": ids,
            "patient_id": [f"IP_{i:07d}" for i in range(2 * n_each)],
            "rank": ranks,
            "n_lesions": 1789,
            "tile": [f"{i}.png" for i in ids],
            "occlusion": [f"{i}-occlusion.png" if images else "" for i in ids],
            "largest_drop": [2.31 - 0.1 * i if images else np.nan for i in range(2 * n_each)],
        }
    )


def write(
    folder: Path,
    *,
    n_folds: int = 1,
    n_seeds: int = 1,
    images: bool = True,
    found: dict[str, Any] | None = None,
    drawn: dict[str, pd.DataFrame] | None = None,
    n_each: int = 2,
    raw: str = "data/raw/synthetic",
    train: tuple[str, str] | None = None,
) -> list[Path]:
    """Write all files that stage `report` reads; return its arguments."""
    found = found or details()
    paths = dict(zip(NAMES, [folder / name for name in NAMES], strict=True))
    for name in ("plots", "calibrated", "explanations"):
        paths[name].mkdir(parents=True)
    text = (ROOT / "params.yaml").read_text()
    text = text.replace("train_folds: [0]", f"train_folds: {list(range(n_folds))}")
    text = text.replace("  n_seeds: 1 ", f"  n_seeds: {n_seeds} ")
    text = text.replace("raw: data/raw/synthetic", f"raw: {raw}")
    for key, value in zip(("fitted", "select"), train or (), strict=False):
        text = re.sub(rf"^  {key}: \w+", f"  {key}: {value}", text, flags=re.M)
    paths["params.yaml"].write_text(text)
    paths["data.json"].write_text(json.dumps(data()))
    paths["details.json"].write_text(json.dumps(found))
    paths["shift.json"].write_text(json.dumps(shift()))
    for name, table in (drawn or curves()).items():
        table.to_csv(paths["plots"] / f"{found['primary']}_{name}.csv", index=False)
    given = importance()
    given = given if images else given[given["feature"] != "tile"]
    given.to_csv(paths["explanations"] / "importance.csv", index=False)
    by_table = given[given["feature"] != "tile"]
    by_table.to_csv(paths["explanations"] / "table-importance.csv", index=False)
    reasons().to_csv(paths["explanations"] / "table-reasons.csv", index=False)
    tiles = gallery(n_each, images=images)
    tiles.to_csv(paths["explanations"] / "gallery.csv", index=False)
    for seed, name in enumerate([*tiles["tile"], *tiles["occlusion"][tiles["occlusion"] != ""]]):
        (paths["explanations"] / name).write_bytes(picture(seed))
    risk = tiles[["isic_id"]].assign(probability=np.geomspace(2e-5, 0.8, len(tiles)))
    risk.to_csv(paths["calibrated"] / f"{found['primary']}.csv", index=False)
    for one in fold_seed.every(range(n_folds), n_seeds):
        _fold(paths["models"] / one.path, paths["train"] / one.path, one.fold)
    return list(paths.values())


def page(folder: Path, **changes: Any) -> str:
    """Write the files, run the stage on them, and return the page."""
    paths = write(folder, **changes)
    main = runpy.run_path(str(ROOT / "stages" / "report.py"))["main"]
    main(inputs.Files(*paths[:-1]), report=paths[-1])
    return paths[-1].read_text()


def _fold(model: Path, log: Path, fold: int) -> None:
    facts = {
        "prior_shift": 2.1765,
        "best_epoch": 9,
        "validation": {"validation/auc": 0.9163, "validation/pauc": 0.1342 + fold / 500},
        **{"backend": "tensorflow", "precision": "float32"},
        "versions": {"keras": "3.15.1", "keras-cv": "0.9.0", "tensorflow": "2.21.0"},
        "inputs_md5": {"data/interim/folds.csv": "3a9a76658ccd1809ea3c413e710573f9"},
    }
    model.mkdir(parents=True)
    (model / "facts.json").write_text(json.dumps(facts))
    epoch = np.arange(14)
    logged = {
        "train/loss": 0.2 + 0.6 * np.exp(-epoch / 3),
        "validation/loss": 0.15 + 0.3 * np.exp(-epoch / 2) + 0.002 * epoch,
        "validation/pauc": 0.137 - 0.1 * np.exp(-epoch / 3) - 0.0004 * (epoch - 9) ** 2 / 3,
    }
    for name, values in logged.items():
        path = log / "plots" / "metrics" / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        table = pd.DataFrame({"step": epoch, path.stem: values})
        table.to_csv(path, sep="\t", index=False)


def change(path: Path, edit: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Change a table in its file."""
    edit(pd.read_csv(path)).to_csv(path, index=False)
