"""experiments.pull_request: what is let through, and what the comment says of it."""

import re
import runpy
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from skinlesion.experiments import pull_request
from skinlesion.experiments.changes import Change, Metric

ROOT = Path(__file__).parents[2]
PARAMS = pull_request.Params(max_pauc_drop=0.005)


def compared(low: float | None, high: float | None) -> dict:
    """What `comparison.paired` finds, with this interval of both differences."""
    interval = {"value": 0.0, "low": low, "high": high}
    return {name: {"difference": interval} for name in ("pauc", "auc")}


def metrics(before: float | None, after: float | None, *, of: str = "holdout") -> dict:
    return {f"{of}.auc": Metric(0.9, 0.9), f"{of}.pauc": Metric(before, after)}


CURRENT = pull_request.Facts(
    before="b" * 40,
    after="a" * 40,
    metrics=metrics(0.15, 0.15),
    params={},
    compared=compared(-0.01, 0.01),
    confidence=0.95,
    stale=[],
    not_in_remote=[],
    graph="```mermaid\nflowchart TD\n```",
    files=["report.html", "roc-curve.png"],
    absent=[],
    address="https://example.org/run/1",
)


def objections(**changes) -> list[str]:
    return pull_request.objections(replace(CURRENT, **changes), PARAMS)


def markdown(**changes) -> str:
    return pull_request.markdown(replace(CURRENT, **changes), PARAMS)


# === What is let through ===


def test_a_pull_request_that_changes_nothing_passes():
    assert objections() == []
    assert "**Gate: passed.**" in markdown()


OBJECTIONABLE = {
    "`dvc repro` would run `train@0`, `predict`": {"stale": ["train@0", "predict"]},
    "Not on the remote: `models/fold-0`. Run `dvc push`": {"not_in_remote": ["models/fold-0"]},
    "were there before are missing: `holdout.pauc`": {
        "metrics": metrics(0.15, None) | metrics(0.1, 0.1, of="oof")
    },
    "There is no pAUC.": {"metrics": {"holdout.auc": Metric(0.9, 0.9)}},
    "The holdout pAUC fell by 0.0200, more than the 0.005": {
        "metrics": metrics(0.15, 0.13),
        "compared": compared(-0.03, -0.01),
    },
}


@pytest.mark.parametrize("expected", OBJECTIONABLE)
def test_what_stands_in_the_way_is_said_in_a_sentence_that_is_in_the_report(expected):
    (sentence,) = objections(**OBJECTIONABLE[expected])

    assert expected in sentence
    assert "**Gate: not passed.**" in markdown(**OBJECTIONABLE[expected])
    assert f"- {sentence}\n" in markdown(**OBJECTIONABLE[expected])


def test_all_that_stands_in_the_way_is_said_at_once():
    everything = {k: v for changes in OBJECTIONABLE.values() for k, v in changes.items()}

    assert len(objections(**everything)) == 3


@pytest.mark.parametrize(
    ("after", "interval", "passes"),
    [
        (0.146, (-0.02, -0.001), True),  # within what is let through
        (0.145, (-0.02, -0.001), True),  # just so much
        (0.130, (-0.05, 0.01), True),  # further, but it may be chance
        (0.130, (-0.05, 0.0), True),
        (0.130, (-0.05, -0.001), False),
        (0.130, (None, None), False),  # nothing shows that it may be chance
        (0.200, (0.01, 0.09), True),
    ],
)
def test_a_fall_is_refused_where_it_is_large_and_not_chance(after, interval, passes):
    changes = {"metrics": metrics(0.15, after), "compared": compared(*interval)}

    assert (objections(**changes) == []) == passes


def test_without_intervals_a_large_fall_is_refused_and_the_reason_is_in_the_report():
    changes = {"metrics": metrics(0.15, 0.13), "compared": "the lesions are others."}

    (sentence,) = objections(**changes)
    assert sentence.endswith("and no interval shows that it may be chance.")
    assert "No interval of the difference: the lesions are others." in markdown(**changes)


def test_the_interval_of_the_holdout_excuses_no_other_set():
    without_holdout = {"metrics": metrics(0.15, 0.13, of="oof"), "compared": compared(-1, 1)}

    (sentence,) = objections(**without_holdout)
    assert sentence.startswith("The out-of-fold pAUC fell by 0.0200")


def test_where_both_sides_have_a_holdout_it_alone_is_judged():
    worse_out_of_fold = metrics(0.15, 0.1, of="oof") | metrics(0.15, 0.15)

    assert objections(metrics=worse_out_of_fold) == []


def test_the_first_metrics_ever_pass():
    first = {"holdout.pauc": Metric(None, 0.15)}

    assert objections(metrics=first) == []
    assert "no pAUC on both sides to compare" in markdown(metrics=first)


def test_a_metric_that_was_not_there_before_either_is_not_missed():
    assert objections(metrics=metrics(0.15, 0.15) | {"oof.pauc": Metric(None, None)}) == []


def test_data_that_could_not_be_looked_for_is_no_objection_and_is_said_not_to_be_known():
    assert objections(not_in_remote=None) == []
    assert "All of its data is on the remote." in markdown()
    assert "Not looked at: whether its data is on the remote." in markdown(not_in_remote=None)


@pytest.mark.parametrize("value", [-0.001, 1.0, float("nan")])
def test_a_limit_that_is_no_drop_of_a_pauc_is_refused(value):
    with pytest.raises(ValidationError):
        pull_request.Params(max_pauc_drop=value)


# === The comment ===


def rows(text: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in text.splitlines()
        if line.startswith("|")
    ]


def test_a_metric_is_shown_with_its_own_interval_and_that_of_its_difference():
    given = metrics(0.15, 0.16) | {
        "holdout.pauc_low": Metric(0.14, 0.15),
        "holdout.pauc_high": Metric(0.16, 0.17),
    }
    text = markdown(metrics=given, compared=compared(-0.002, 0.022))

    assert rows(text) == [
        ["metric", "before", "after", "difference", "95 % interval"],
        ["---", "--:", "--:", "--:", "--:"],
        [
            "holdout pAUC",
            "0.1500 (0.140 to 0.160)",
            "0.1600 (0.150 to 0.170)",
            "+0.0100",
            "-0.0020 to +0.0220",
        ],
        ["holdout AUC", "0.9000", "0.9000", "+0.0000", "-0.0020 to +0.0220"],
    ]


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (Metric(1789, 1800), ["1,789", "1,800", "+11"]),
        (Metric(0.5, 0.49999), ["0.5000", "0.5000", "+0.0000"]),
        (Metric(0.5, None), ["0.5000", "-", ""]),
        (Metric(None, 0), ["-", "0", ""]),
    ],
)
def test_counts_are_shown_as_counts_and_no_change_as_zero(metric, expected):
    shown = rows(markdown(metrics={"holdout.n_lesions": metric}))[2]

    assert shown == ["holdout n_lesions", *expected, ""]


def test_every_metric_has_a_row_whatever_their_order():
    given = metrics(0.1, None) | metrics(None, 0.1, of="oof") | {"n_lesions": Metric(5, 6)}
    backwards = dict(reversed(given.items()))

    assert {row[0] for row in rows(markdown(metrics=given))[2:]} == {
        "holdout AUC",
        "holdout pAUC",
        "out-of-fold AUC",
        "out-of-fold pAUC",
        "n_lesions",
    }
    assert markdown(metrics=given) == markdown(metrics=backwards)


def test_params_are_shown_as_they_were_and_as_they_are():
    given = {
        "train.n_epochs": Change(14, 20),
        "a|b": Change("x|y` z", None),
        "evaluate.sensitivities": Change("[0.8]", "[0.8, 0.9]"),
        "predict.strict": Change(None, True),
    }
    shown = rows(markdown(params=given))[-4:]

    assert shown == [
        ["`train.n_epochs`", "`14`", "`20`"],
        [r"`a\|b`", r"`x\|y z`", "-"],
        ["`evaluate.sensitivities`", "`[0.8]`", "`[0.8, 0.9]`"],
        ["`predict.strict`", "-", "`true`"],
    ]
    assert "None changed." in markdown()


def test_a_long_list_is_shortened_to_ten_names_and_a_count():
    (sentence,) = objections(not_in_remote=[f"tile-{i}" for i in range(1_500)])

    assert sentence.count("`tile-") == 10
    assert "`tile-9` and 1,490 more" in sentence


def test_pictures_are_named_and_never_shown():
    text = markdown()

    assert "[files of this run](https://example.org/run/1): report.html, roc-curve.png." in text
    assert "![" not in text
    assert "<img" not in text


def test_files_that_are_not_there_are_listed_with_the_reason():
    text = markdown(files=[], absent=["Loss: its data is not here"], address="")

    assert "In the files of this run: nothing." in text
    assert "\nNot there:\n- Loss: its data is not here\n" in text


def test_the_graph_of_the_stages_is_a_block_of_its_own():
    assert f"\n\n{CURRENT.graph}\n\n</details>\n" in markdown()


# === The gate ===


def gate(folder: Path, monkeypatch) -> None:
    monkeypatch.setattr(sys, "argv", ["pull_request.py", "gate", str(folder)])
    runpy.run_path(str(ROOT / "scripts/pull_request.py"), run_name="__main__")


def test_the_gate_is_open_where_there_is_no_objection(tmp_path, monkeypatch, capsys):
    (tmp_path / "gate.txt").write_text("")
    gate(tmp_path, monkeypatch)

    assert capsys.readouterr().out == "gate: passed\n"


@pytest.mark.parametrize("text", ["The pAUC fell.\nNot on the remote.\n", None])
def test_the_gate_is_shut_by_an_objection_and_by_the_lack_of_a_report(
    tmp_path, monkeypatch, capsys, text
):
    if text is not None:
        (tmp_path / "gate.txt").write_text(text)
    with pytest.raises(SystemExit) as stopped:
        gate(tmp_path, monkeypatch)

    assert stopped.value.code == 1
    assert (text or "must hold the gate.txt of a report").strip() in capsys.readouterr().err
