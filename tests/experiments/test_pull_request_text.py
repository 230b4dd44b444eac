"""experiments.pull_request_text: what the comment says."""

import re
from dataclasses import replace

import pytest
from tests.pull_requests import CURRENT, PARAMS, compared, metrics

from skinlesion.experiments import pull_request_text
from skinlesion.experiments.changes import Change, Metric
from skinlesion.experiments.stage_graph import Difference


def markdown(**changes) -> str:
    return pull_request_text.markdown(replace(CURRENT, **changes), PARAMS)


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


def test_the_commits_are_whole_and_unquoted_so_that_a_forge_links_them():
    first, *_ = markdown().splitlines()

    assert first == f"## Report on {'a' * 40}, compared with {'b' * 40}"


def test_where_dvc_lock_is_stale_the_metrics_are_said_to_be_of_the_last_run_before_they_come():
    text = markdown(stale=["train@0"])
    warning = "these metrics are those of the last run, not of this commit"

    assert text.index("### Metrics") < text.index(warning) < text.index("| metric |")
    assert "`dvc repro` would run `train@0`." in text[text.index(warning) :]
    assert warning not in markdown()


def test_the_roc_curves_stand_below_the_metrics_where_there_are_any():
    text = markdown(roc="```mermaid\nxychart-beta\n```")

    assert text.index("| metric |") < text.index("xychart-beta") < text.index("### Params")
    assert "```" not in markdown()


def test_outs_that_differ_are_listed_by_kind_and_kinds_without_any_left_out():
    text = markdown(outs={"added": [], "changed": ["a/", "b.csv"], "removed": ["c"]})

    assert "Outs that differ:\n\n- changed: `a/`, `b.csv`\n- removed: `c`\n" in text
    assert "No out differs." in markdown()


def test_stages_that_differ_are_named_and_their_graph_is_folded():
    stages = {"a": "changed", "b": "added", "c": "same"}
    text = markdown(graph=Difference(stages=stages, arrows={("a", "c"): "same"}))

    assert "### Stages\n\nAdded: `b`; changed: `a`.\n\n<details>" in text
    assert '\n\n```mermaid\nflowchart TD\nstage0["a"]:::changed\n' in text
    assert "```\n\nAmber: " in text
    assert "### Stages\n\nNone changed." in markdown()


def test_where_only_an_arrow_is_new_the_graph_is_shown_too():
    arrows = {("a", "c"): "added"}
    text = markdown(graph=Difference(stages={"a": "same", "c": "same"}, arrows=arrows))

    assert "### Stages\n\nArrows only.\n\n<details>" in text


def test_files_are_linked_and_pictures_never_shown():
    text = markdown()

    assert "[report.html](report.html), [roc-curve.png](roc-curve.png)." in text
    assert "![" not in text
    assert "<img" not in text


def test_files_that_are_not_there_are_listed_with_the_reason():
    text = markdown(files=[], absent=["Loss: its data is not here"])

    assert "### Full report and curves\n\nThere are none.\n\n" in text
    assert text.endswith("\nNot there:\n- Loss: its data is not here\n")
