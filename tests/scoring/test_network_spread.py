"""scoring.network_spread: the spreads that there are, under the network's name."""

import numpy as np
import pandas as pd

from skinlesion.scoring import network_spread


def written(tmp_path, **columns) -> pd.DataFrame:
    given = pd.DataFrame({"isic_id": ["a", "b"], "score": 0.5, **columns})
    network_spread.write(given, tmp_path / "n.csv")
    return pd.read_csv(tmp_path / "n.csv")


def test_a_spread_that_there_is_gets_a_column(tmp_path):
    found = written(tmp_path, sd_folds=np.nan, sd_views=[0.25, np.nan])

    assert list(found) == ["isic_id", "network_sd_views"]
    assert found["network_sd_views"].tolist()[0] == 0.25
    assert len(found) == 2


def test_without_any_spread_the_table_has_no_rows(tmp_path):
    assert written(tmp_path, sd_folds=np.nan, sd_views=np.nan).to_csv(index=False) == "isic_id\n"


def test_without_a_lesion_the_table_keeps_its_header(tmp_path):
    nothing = pd.DataFrame(columns=["isic_id", "score", *network_spread.COLUMNS])

    network_spread.write(nothing, tmp_path / "n.csv")

    assert (tmp_path / "n.csv").read_text() == "isic_id\n"
