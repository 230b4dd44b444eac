"""experiments.sweep: what the finished experiments of a sweep scored, as a table."""

import itertools

import pytest
from tests import sweeps

from skinlesion.errors import InputError
from skinlesion.experiments import sweep


@pytest.fixture
def rows():
    return [
        sweeps.row(None, None) | {"rev": "workspace", "oof.pauc": 0.19},
        sweeps.row(None, 0.14),
        sweeps.row("a", 0.13, augment__cutout__rate=0.5),
        sweeps.row("b", 0.15, augment__cutout__rate=0.25, resample__negatives_per_positive="None"),
        sweeps.row("c", 0.12),
    ]


def read(rows, **changes) -> sweep.Results:
    return sweep.read(rows, sweeps.KNOWN, **{"metric": "oof.pauc"} | changes)


def test_only_params_that_were_varied_appear(rows):
    assert list(read(rows).shorts.values()) == ["resample.negatives_per_positive", "cutout.rate"]


def test_the_best_experiment_is_first(rows):
    assert list(read(rows).scores.index) == ["b", "a", "c"]


@pytest.mark.parametrize("order", itertools.islice(itertools.permutations(range(5)), 0, 120, 17))
def test_the_order_of_the_rows_is_irrelevant(rows, order):
    rows.append(sweeps.row("tie", 0.13))
    shuffled = [rows[-1], *(rows[i] for i in order)]

    assert sweep.table(read(shuffled)) == sweep.table(read(rows))


def test_an_interval_is_read_where_the_metrics_have_one(rows):
    assert read(rows).scores[["low", "high"]].isna().all(axis=None)

    for given in rows:
        given |= {"oof.pauc_low": 0.1, "oof.pauc_high": 0.2}
    assert read(rows).scores["low"].eq(0.1).all()
    assert "0.1500 [0.1000, 0.2000]" in sweep.table(read(rows))


def test_metrics_of_other_names_do_no_harm(rows):
    more = {"holdout.average_precision": 0.5, "test.n_unreadable": 0.0}

    assert sweep.table(read([given | more for given in rows])) == sweep.table(read(rows))


def test_the_baseline_is_the_commit_and_not_the_workspace(rows):
    assert read(rows).baseline["value"].tolist() == [0.14]


def test_what_the_baseline_sets_otherwise_is_said(rows):
    rows[1]["model.backbone"] = "efficientnetv2_b2"

    assert list(read(rows).baseline.index) == ["baseline, backbone efficientnetv2_b2"]


def test_without_a_score_of_the_baseline_there_is_none(rows):
    rows[1]["oof.pauc"] = None

    assert read(rows).baseline.empty
    assert "baseline" not in sweep.table(read(rows))


def test_what_is_not_finished_is_counted_and_not_shown(rows):
    rows += [sweeps.row("d", None, state="Queued"), sweeps.row("e", None, state="Failed")]
    rows += [sweeps.row("c", None, state="Failed")]  # and queued again, and finished

    assert read(rows).unfinished == {"Failed": 1, "Queued": 1}
    assert list(read(rows).scores.index) == ["b", "a", "c"]


@pytest.mark.parametrize("state", ["Failed", "Running", "Queued"])
def test_an_experiment_that_is_not_finished_does_not_get_the_score_it_began_with(rows, state):
    rows.append(sweeps.row("d", 0.14, state=state, augment__cutout__rate=1.0))

    assert "d" not in read(rows).scores.index


def test_experiments_are_taken_by_name(rows):
    assert list(read(rows, match="[ac]").scores.index) == ["a", "c"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"metric": "oof.pac"}, r"have the metric oof\.pac\. Got 3 .* Did you mean 'oof\.pauc'"),
        (
            {"match": "z*"},
            r"like 'z\*' must have .* Got 0 experiments of this commit, none with it\.$",
        ),
    ],
)
def test_without_an_experiment_to_show_there_is_an_error(rows, changes, expected):
    with pytest.raises(InputError, match=expected):
        read(rows, **changes)


def test_a_table_fits_a_hundred_columns():
    lines = sweep.table(read(sweeps.grid())).splitlines()

    assert max(map(len, lines)) <= 100
    assert len(lines) > 30
    assert any("efficientnetv2_b4" in line for line in lines[:6])


def test_a_value_is_shown_as_one_writes_it(rows):
    rows[2]["split.train_folds"] = "[0, 1]"
    shown = sweep.table(read(rows))

    assert all(f" {value} " in shown for value in ("0.5", "0.25", "null", "[0,1]"))
