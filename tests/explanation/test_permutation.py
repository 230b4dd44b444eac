"""explanation.permutation: what is permuted, among whom, and what that is said to cost."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from skinlesion.dataset import batches
from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.dataset.shares import Shares
from skinlesion.errors import InputError
from skinlesion.evaluation import bootstrap
from skinlesion.explanation import branches, permutation
from skinlesion.features import tabular

PARAMS = {
    "n_permutations": 3,
    "max_negatives": 1000,
    "n_shown": 2,
    "patch_fraction": 0.25,
    "batch_size": 8,
    "seed": 0,
}
RESAMPLING = bootstrap.Params(min_tpr=0.8, n_resamples=40, confidence=0.95, seed=0)
COMPLETE = Shares(n_lesions=100, missing=0.0)
NUMBER = {"center": 0.0, "scale": 1.0, "median": 0.0, "lacking": COMPLETE}
ENCODER = tabular.Encoder(
    numeric={
        "own": tabular.Number(**NUMBER, indicator=True),
        "of_patient": tabular.Number(**NUMBER, indicator=False),
        "of_fold": tabular.Number(**NUMBER, indicator=False),
    },
    categorical={"sex": tabular.Category(values=("female", "male"), lacking=COMPLETE)},
    constant=(),
)
N = 240
DROPS = ["pauc_drop", "pauc_low", "pauc_high", "auc_drop", "auc_low", "auc_high"]
AMONG = pytest.mark.parametrize("permuted", ["across", "within"])


class Linear:
    """A network that adds up features, each times its weight; those without one have none."""

    def __init__(self, **weights: float) -> None:
        self.whole = SimpleNamespace(encoder=ENCODER)
        self.tile = weights.pop("tile", 0.0)
        of_columns = [weights.pop(name.split("=")[0], 0.0) for name in ENCODER.names]
        self.encoded = np.array(of_columns)

    def logits(self, pooled: np.ndarray, encoded: np.ndarray) -> np.ndarray:
        return encoded @ self.encoded + self.tile * pooled.sum(1)


def params(**changes) -> permutation.Params:
    return permutation.Params(**PARAMS | changes)


@pytest.fixture
def lesions():
    """Lesions of 40 patients in two folds, and all that is known of them."""
    rng = np.random.default_rng(0)
    patient = np.arange(N) % 40
    target = (rng.random(N) < 0.3).astype(int)
    return pd.DataFrame(
        {
            "isic_id": [f"ISIC_{i:03d}" for i in range(N)],
            "patient_id": [f"IP_{i:02d}" for i in patient],
            "target": target,
            "fold": patient % 2,
            "own": np.where(rng.random(N) < 0.1, np.nan, target + rng.normal(size=N)),
            "of_patient": rng.normal(size=40)[patient],
            "of_fold": (patient % 2).astype(float),
            "sex": np.array(["female", "male"])[rng.integers(2, size=40)[patient]],
            "seen": target + rng.normal(size=N),
        }
    )


def members(lesions: pd.DataFrame, network: Linear, n_pooled: int = 1) -> list[branches.Member]:
    """The network, as the model of each fold."""
    found = []
    for fold in sorted(lesions["fold"].unique()):
        rows = np.flatnonzero(lesions["fold"] == fold)
        here = lesions.iloc[rows]
        encoded = tabular.transform(here, ENCODER)
        given = batches.Lesions(here["isic_id"].to_numpy(), encoded, None, 32)
        pooled = np.tile(here[["seen"]].to_numpy(np.float32), n_pooled)
        found.append(branches.Member(network, FoldSeed(fold), rows, 1.0, given, pooled))
    return found


def importance(
    lesions: pd.DataFrame, network: Linear, *, n_pooled: int = 1, min_tpr: float = 0.8, **changes
) -> pd.DataFrame:
    found = permutation.importance(
        members(lesions, network, n_pooled),
        lesions,
        params(**changes),
        RESAMPLING.model_copy(update={"min_tpr": min_tpr}),
    )
    return found.set_index(["feature", "permuted"])


# === Importance ===


def test_the_tile_and_each_feature_are_permuted_across_lesions_and_within_patients(lesions):
    found = importance(lesions, Linear(own=1.0))

    assert found.columns.tolist() == DROPS
    assert found.index.tolist() == [
        (feature, permuted)
        for feature in ("tile", "own", "of_patient", "of_fold", "sex")
        for permuted in ("across", "within")
    ]


def test_without_an_image_branch_there_is_no_tile_to_permute(lesions):
    found = importance(lesions, Linear(own=1.0), n_pooled=0)

    assert "tile" not in found.index.get_level_values("feature")


@AMONG
@pytest.mark.parametrize("feature", ["tile", "own", "of_patient", "sex"])
def test_a_feature_without_weight_drops_by_exactly_0(lesions, feature, permuted):
    weights = {"tile": 0.8, "own": 1.0, "of_patient": 0.3, "sex": 0.2, feature: 0.0}
    found = importance(lesions, Linear(**weights))

    assert (found.loc[(feature, permuted)] == 0).all()
    assert found["auc_drop"].max() > 0.05


@AMONG
@pytest.mark.parametrize("feature", ["tile", "own"])
def test_what_tells_the_lesions_of_a_patient_apart_drops_both_ways(lesions, feature, permuted):
    found = importance(lesions, Linear(tile=0.8, own=1.0), n_permutations=10)

    assert found.loc[(feature, permuted), "auc_drop"] > 0.03


@pytest.mark.parametrize("feature", ["of_patient", "sex"])
def test_what_lesions_of_a_patient_share_drops_by_exactly_0_within_patients(lesions, feature):
    found = importance(lesions, Linear(own=1.0, of_patient=0.3, sex=0.2))

    assert (found.loc[(feature, "within")] == 0).all()
    assert (found.loc[(feature, "across")] != 0).all()


def test_within_patients_of_one_lesion_everything_drops_by_exactly_0(lesions):
    alone = lesions.assign(patient_id=lesions["isic_id"])
    found = importance(alone, Linear(own=1.0, tile=1.0)).xs("within", level="permuted")

    assert (found == 0).all(axis=None)


def test_what_lesions_of_a_fold_share_drops_by_exactly_0(lesions):
    found = importance(lesions, Linear(own=1.0, of_fold=5.0))

    assert (found.loc["of_fold"] == 0).all(axis=None)


@pytest.mark.parametrize("feature", ["tile", "own"])
def test_a_ranking_by_one_feature_loses_all_that_is_above_chance(lesions, feature):
    perfect = lesions.assign(own=lesions["target"] * 1.0, seen=lesions["target"] * 1.0)
    found = importance(perfect, Linear(**{feature: 1.0}), n_permutations=30)
    across = found.loc[(feature, "across")]

    assert across["auc_drop"] == pytest.approx(0.5, abs=0.03)
    assert across["pauc_drop"] == pytest.approx(0.2 - 0.02, abs=0.01)
    assert across["auc_low"] <= across["auc_drop"] <= across["auc_high"]


def test_the_pauc_from_0_on_is_the_auc(lesions):
    found = importance(lesions, Linear(own=1.0, tile=0.5), min_tpr=0.0)

    np.testing.assert_allclose(found[DROPS[:3]], found[DROPS[3:]], atol=1e-6)


def test_several_pooled_features_are_permuted_together(lesions):
    one, three = (
        importance(lesions, Linear(own=1.0, tile=w), n_pooled=n) for w, n in ((0.9, 1), (0.3, 3))
    )

    pd.testing.assert_frame_equal(three, one, atol=1e-3)


def test_the_same_seed_gives_the_same_and_another_seed_another_importance(lesions):
    network = Linear(own=1.0, tile=1.0)
    found = importance(lesions, network)

    pd.testing.assert_frame_equal(importance(lesions, network), found)
    assert not importance(lesions, network, seed=1).equals(found)


def test_the_importance_of_a_feature_does_not_depend_on_which_others_there_are(lesions):
    network = Linear(own=1.0)
    with_tile, without = (importance(lesions, network, n_pooled=n) for n in (1, 0))

    pd.testing.assert_frame_equal(without, with_tile.drop("tile", level="feature"))


def test_lesions_of_one_class_are_refused(lesions):
    with pytest.raises(InputError, match="both classes"):
        importance(lesions.assign(target=0), Linear())


def test_the_summary_names_what_costs_most_across_lesions():
    table = pd.DataFrame(
        [
            ("tile", "across", 0.02, 0.01, 0.03),
            ("tile", "within", 0.09, 0.08, 0.1),
            ("sex", "across", 0.04, 0.035, 0.05),
        ],
        columns=["feature", "permuted", *DROPS[:3]],
    )
    said = permutation.summary(table)

    assert said.startswith("sex matters most")
    assert "pAUC falls by 0.0400 (0.0350 to 0.0500)" in said


# === Which lesions ===


@pytest.mark.parametrize("max_negatives", [1, 20, 1000])
def test_the_sample_has_all_positives_and_no_more_negatives_than_asked(lesions, max_negatives):
    found = permutation.sample(lesions, params(max_negatives=max_negatives))
    n_negatives = (lesions["target"] == 0).sum()

    assert found["target"].sum() == lesions["target"].sum()
    assert (found["target"] == 0).sum() == min(max_negatives, n_negatives)
    assert found["isic_id"].is_monotonic_increasing
    assert found["isic_id"].is_unique


def test_the_sample_depends_on_the_seed_and_not_on_the_order_of_the_lesions(lesions):
    found = permutation.sample(lesions, params(max_negatives=20))
    shuffled = lesions.sample(frac=1, random_state=3)

    pd.testing.assert_frame_equal(permutation.sample(shuffled, params(max_negatives=20)), found)
    other = permutation.sample(lesions, params(max_negatives=20, seed=1))
    assert set(other["isic_id"]) != set(found["isic_id"])


def test_the_primary_lesions_are_the_holdout_or_without_one_those_out_of_fold(lesions, tmp_path):
    for n_held_out, n_expected in ((3, 3), (0, len(lesions))):
        lesions[:n_held_out].to_csv(tmp_path / "holdout.csv", index=False)
        lesions.to_csv(tmp_path / "oof.csv", index=False)

        assert len(permutation.primary(tmp_path)) == n_expected


def scored(*scores_and_targets: tuple[float, int]) -> pd.DataFrame:
    table = pd.DataFrame(scores_and_targets, columns=["score", "target"])
    isic_ids = [f"ISIC_{i}" for i in range(len(table))]
    return table.assign(isic_id=isic_ids, patient_id="IP_0", fold=-1)


MIXED = scored((0.9, 0), (0.8, 1), (0.7, 0), (0.6, 0), (0.5, 1), (0.4, 0), (0.3, 1), (0.2, 0))


def test_shown_are_the_lowest_cancers_and_the_highest_negatives_the_worst_first():
    found = permutation.most_wrong(MIXED, params())

    assert found["kind"].tolist() == ["cancer ranked low"] * 2 + ["benign ranked high"] * 2
    assert found["isic_id"].tolist() == ["ISIC_6", "ISIC_4", "ISIC_0", "ISIC_2"]
    assert found["rank"].tolist() == [7, 5, 1, 3]
    assert found["n_lesions"].eq(8).all()


def test_equal_scores_rank_in_the_order_of_isic_id_whatever_that_of_the_rows():
    tied = MIXED.assign(score=0.5)
    found = permutation.most_wrong(tied[::-1], params())

    assert found["isic_id"].tolist() == ["ISIC_6", "ISIC_4", "ISIC_0", "ISIC_2"]
    assert found["rank"].tolist() == [7, 5, 1, 3]


def test_fewer_lesions_than_asked_are_all_shown():
    assert len(permutation.most_wrong(MIXED, params(n_shown=100))) == 8


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_permutations": 0},
        {"max_negatives": 0},
        {"n_shown": 0},
        {"patch_fraction": 0.0},
        {"patch_fraction": 1.0},
        {"seed": -1},
    ],
    ids=str,
)
def test_a_param_out_of_range_is_refused(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        params(**wrong)
