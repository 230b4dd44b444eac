"""reporting.clinics: the part "In another clinic" of the page."""

import re

import pytest
from tests.report_files import LONG, details, interval, page

from skinlesion.evaluation.clinics import MEAN, MEASURES, POOLED
from skinlesion.reporting import clinics
from skinlesion.reporting.details import Clinics

NONE = {"value": None, "low": None, "high": None}


def measured(auc: float, half: float = 0.03) -> dict:
    values = dict(zip(MEASURES, (auc, 0.12, 0.81, 0.9, -0.31, 0.92), strict=True))
    return {name: interval(value, half) for name, value in values.items()}


def row(name: str, n_positives: int, *, paired: bool, drop: float = 0.05) -> dict:
    few = n_positives < 10
    own = measured(0.87) if not few else dict.fromkeys(MEASURES, NONE)
    own |= {"specificity": interval(0.912, 0.02)}
    other = {name: interval(-drop, 0.02) for name in MEASURES}
    return {
        "name": name,
        "clinics": [name] if name not in (MEAN, POOLED) else ["a", "b"],
        **{"n_lesions": 40 * n_positives, "n_patients": 50, "n_positives": n_positives},
        "too_few": few,
        "left_out": own,
        "patient_folds": measured(0.92) if paired else None,
        "difference": (dict.fromkeys(MEASURES, NONE) if few else other) if paired else None,
    }


def found(*, paired: bool = True, drop: float = 0.05, rows: bool = True) -> dict:
    names = {"Memorial Sloan Kettering Cancer Center": 51, LONG: 30, "Vienna": 7}
    names |= {MEAN: 88, POOLED: 88}
    spare = {"fold": 9, "name": "learnt from only", "clinics": ["Athens"], "left_out": False}
    return {
        "by": "attribution",
        "specificity": 0.9,
        "compared_with": "0123456789ab" if paired else None,
        "n_to_leave_out": 3,
        "learnt_from_only": [spare | {"n_lesions": 125, "n_patients": 13, "n_positives": 9}],
        "rows": [row(n, k, paired=paired, drop=drop) for n, k in names.items()] if rows else [],
    }


def part(folder, *, train: tuple[str, str] | None = None, **changes) -> str:
    """The part's text, without tags."""
    given = details() | {"clinics": found(**changes) if changes.pop("known", True) else None}
    whole = page(folder, found=given, train=train)
    [html] = re.findall(r'<section id="clinics">.*?</section>', whole, re.S)
    return re.sub(r"\s+", " ", re.sub(r"<svg.*?</svg>|<[^>]+>", "", html, flags=re.S))


def test_a_run_of_patient_folds_says_how_to_leave_clinics_out(tmp_path):
    text = part(tmp_path, known=False)

    assert "Not known from this run" in text
    assert "dvc exp run -n patients -S split.train_folds=[0,1,2,3,4]" in text
    assert "dvc exp run $(skinlesion clinics attribution --against patients)" in text


def test_the_drop_against_patient_folds_is_the_first_that_is_said(tmp_path):
    text = part(tmp_path)

    assert (
        "In another clinic the AUC is 0.870 in place of 0.920, on the mean of the clinics" in text
    )
    assert "the new clinic is worse" in text
    for name in ("Memorial Sloan Kettering Cancer Center", LONG, MEAN, POOLED):
        assert name in text
    assert "125 lesions with 9 cancers were too few to be left out" in text
    assert "Vienna 280 lesions, 7 cancers too few" in text
    assert "the specificity alone: Vienna 0.912 (0.892" in text


@pytest.mark.parametrize(
    ("train", "chose"),
    [(("network", "best"), True), (("network", "last"), False), (("head", "best"), False)],
)
def test_a_clinic_that_chose_the_epoch_is_said_to_rank_too_well(tmp_path, train, chose):
    assert ("ranking may be a little too good" in part(tmp_path, train=train)) == chose


def test_without_patient_folds_it_says_how_to_get_them(tmp_path):
    text = part(tmp_path, paired=False)

    assert "in place of" not in text
    assert "skinlesion clinics attribution --against patients" in text


def test_one_clinic_alone_says_what_is_missing(tmp_path):
    assert "One clinic of 3, by attribution, was left out." in part(tmp_path, rows=False)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-0.1, -0.02, "the new clinic is worse"),
        (-0.1, 0.02, "no difference shown"),
        (0.01, 0.02, "the new clinic is better"),
        (None, None, "no difference shown"),
    ],
)
def test_a_difference_is_put_into_words(low, high, expected):
    assert clinics.change({"value": 0.0, "low": low, "high": high}) == expected


def test_the_axes_hold_every_interval():
    given = Clinics(**found())
    shown = clinics.intervals(given)

    assert len(shown["auc"]) == len(shown["difference"]) == 5
    assert clinics.intervals(None) == {"auc": [], "difference": []}
