"""evaluation.headline: the few figures that a table shows, and a line for each set."""

from tests.evaluation.test_measurement import evaluated

from skinlesion.evaluation import headline


def test_the_headline_is_few_plain_numbers():
    details, _ = evaluated()
    found = headline.figures(details)
    assert list(found["holdout"]) == ["pauc", "pauc_low", "pauc_high", "auc"]
    assert list(found["oof"]) == list(found["holdout"])
    assert {type(v) for of_set in found.values() for v in of_set.values()} == {float}
    assert found["holdout"]["pauc_low"] == details["sets"]["holdout"]["ranking"]["pauc"]["low"]
    alone = headline.figures(evaluated(holdout=False)[0])
    assert list(alone) == ["oof"]
    assert list(alone["oof"]) == ["pauc", "pauc_low", "pauc_high", "auc"]


def test_the_text_has_a_line_for_each_set_with_its_interval():
    details, _ = evaluated()
    first, second = headline.text(details).splitlines()
    assert first.split()[0] == "holdout"
    assert second.split()[0] == "oof"
    pauc = details["sets"]["holdout"]["ranking"]["pauc"]
    assert f"pAUC {pauc['value']:.4f} ({pauc['low']:.4f} to {pauc['high']:.4f})" in first
    assert "300 lesions of" in first


def test_the_text_says_when_there_is_no_holdout():
    said = headline.text(evaluated(holdout=False)[0])
    assert said.splitlines()[-1].startswith("no holdout: out-of-fold scores only")


def test_limits_that_are_not_known_are_no_columns_and_question_marks():
    pauc, auc = ({"value": v, "low": None, "high": None} for v in (0.2, 1.0))
    counts = {"n_lesions": 2, "n_patients": 2, "n_positives": 1}
    details = {"sets": {"holdout": {"ranking": {"pauc": pauc, "auc": auc}, **counts}}}
    assert headline.figures(details)["holdout"] == {"pauc": 0.2, "auc": 1.0}
    assert "pAUC 0.2000 (? to ?)" in headline.text(details)
