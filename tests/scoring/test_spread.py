"""scoring.spread: the mean logit over folds, seeds and views, and how far each of them spreads."""

import numpy as np
import pandas as pd

from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.scoring import spread


def logits(*n_seeds: int, n_views: int = 1) -> dict[FoldSeed, np.ndarray]:
    """Of 5 lesions by the models of folds, each with so many seeds, the last fold first."""
    rng = np.random.default_rng(0)
    names = [FoldSeed(fold, seed) for fold, n in enumerate(n_seeds) for seed in range(n)]
    return {one: rng.normal(size=(n_views, 5)) for one in reversed(names)}


def test_the_mean_is_over_folds_of_their_seeds_and_views():
    given = logits(3, 1, n_views=4)
    found = spread.of(given)

    z = np.stack([given[FoldSeed(0, seed)] for seed in range(3)])  # (n_seeds, n_views, n_lesions)
    of_folds = np.stack([z.mean((0, 1)), given[FoldSeed(1)].mean(0)])
    np.testing.assert_allclose(found["logit"], of_folds.mean(0))
    np.testing.assert_allclose(found["sd_folds"], of_folds.std(0, ddof=1))
    np.testing.assert_allclose(found["sd_seeds"], z.mean(1).std(0, ddof=1))
    squares = [view.std(0, ddof=1) ** 2 for view in given.values()]
    np.testing.assert_allclose(found["sd_views"], np.sqrt(np.mean(squares, axis=0)))


def test_over_seeds_it_is_the_root_mean_square_of_the_folds():
    given = logits(2, 2)
    found = spread.of(given)["sd_seeds"]

    apart = [given[FoldSeed(k, 0)][0] - given[FoldSeed(k, 1)][0] for k in (0, 1)]
    np.testing.assert_allclose(found, np.sqrt((apart[0] ** 2 + apart[1] ** 2) / 4))


def test_one_model_and_one_view_do_not_spread():
    found = spread.of(logits(1))

    assert all(np.isnan(found[name]).all() for name in spread.COLUMNS)
    np.testing.assert_array_equal(found["logit"], logits(1)[FoldSeed(0)][0])


def test_a_lesion_without_a_logit_has_neither_mean_nor_spread():
    given = logits(2, 2)
    for z in given.values():
        z[:, 3] = np.nan
    found = spread.of(given)

    assert all(np.flatnonzero(np.isnan(found[n])).tolist() == [3] for n in ("logit", "sd_seeds"))


def written(tmp_path, **columns: object) -> pd.DataFrame:
    nothing = dict.fromkeys(spread.COLUMNS, np.nan)
    scored = pd.DataFrame({"isic_id": ["A", "B"], "logit": 0.0, **nothing, **columns})
    spread.write(scored, tmp_path / "n.csv")
    return pd.read_csv(tmp_path / "n.csv")


def test_a_spread_that_there_is_gets_a_column(tmp_path):
    found = written(tmp_path, sd_seeds=[0.5, np.nan])

    assert list(found) == ["isic_id", "network_sd_seeds"]
    assert found["network_sd_seeds"][0] == 0.5


def test_without_any_spread_the_table_has_no_rows(tmp_path):
    assert written(tmp_path).to_csv(index=False) == "isic_id\n"


def test_without_a_lesion_the_table_keeps_its_header(tmp_path):
    nothing = pd.DataFrame(columns=["isic_id", "score", *spread.COLUMNS])

    spread.write(nothing, tmp_path / "n.csv")

    assert (tmp_path / "n.csv").read_text() == "isic_id\n"
