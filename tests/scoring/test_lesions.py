"""scoring.lesions: the selected rows of a table, in its order, whatever is read at a time."""

import numpy as np
import pandas as pd
import pytest

from skinlesion.scoring import executor, lesions


@pytest.mark.parametrize("n_read", [3, 8, 100])
@pytest.mark.parametrize("n", [1, 4, 7, 100])
def test_pieces_joined_are_the_selected_rows(test_csv, monkeypatch, n_read, n):
    monkeypatch.setattr(executor, "MAX_PIECE", n_read)
    table = pd.read_csv(test_csv)
    wanted = table["isic_id"][::3]
    some = lesions.Selection(isic_ids=pd.Index(np.random.default_rng(0).permutation(wanted)))
    found = list(lesions.pieces(test_csv, ["age_approx"], [], some, n))

    assert pd.concat(found)["isic_id"].tolist() == wanted.tolist()
    assert [len(piece) for piece in found[:-1]] == [n] * (len(found) - 1)
    assert set(found[0]) == {"isic_id", "age_approx"}


def test_a_selection_of_none_has_no_pieces(test_csv):
    nobody = lesions.Selection(isic_ids=pd.Index([], dtype=str))

    assert list(lesions.pieces(test_csv, [], [], nobody, 8)) == []
