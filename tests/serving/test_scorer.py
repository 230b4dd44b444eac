"""serving.scorer: requests that wait are scored together, each as if it were alone."""

import pandas as pd
import pytest
from tests.process import PATIENCE
from tests.serving_bundle import Brightness, tile

from skinlesion.errors import InputError
from skinlesion.serving.lesions import Lesions
from skinlesion.serving.scorer import Batch, Scorer


def lesions(*greys: int, sex: str = "male", patient: str = "P") -> Lesions:
    names = [f"L{i}" for i in range(len(greys))]
    row = {"isic_id": names, "patient_id": patient, "age_approx": 60.0, "sex": sex}
    return Lesions(pd.DataFrame(row), {n: tile(g) for n, g in zip(names, greys, strict=True)})


@pytest.fixture
def counted() -> list[int]:
    return []


@pytest.fixture
def scorer(bundle, counted):
    scorer = Scorer(bundle, Batch(4, 2), lambda n, seconds: counted.append(n))
    scorer.start()
    yield scorer
    bundle.free.set()
    scorer.stop()


def held(scorer: Scorer, bundle: Brightness):
    """Keep the scoring thread busy until `bundle.free` is set."""
    bundle.free.clear()
    busy = scorer.score(lesions(0))
    while not busy.running():
        pass
    return busy


def alone(request: Lesions) -> pd.DataFrame:
    return Brightness().score(request.table, request.tiles)


def same(found: pd.DataFrame, expected: pd.DataFrame) -> bool:
    numbers = ["probability", "rank", "n_lesions", "network", "reason"]
    return found[numbers].reset_index(drop=True).equals(expected[numbers])


def test_requests_that_wait_are_one_batch_with_the_scores_that_each_has_alone(scorer, bundle):
    requests = [lesions(10, 200), lesions(200, 10)]
    held(scorer, bundle)
    futures = [scorer.score(r) for r in requests]
    bundle.free.set()
    found = [f.result(PATIENCE).scores for f in futures]

    assert [len(batch) for batch in bundle.batches] == [1, 4]
    assert all(same(f, alone(r)) for f, r in zip(found, requests, strict=True))


def test_equal_identifiers_of_two_requests_are_kept_apart(scorer, bundle):
    held(scorer, bundle)
    futures = [scorer.score(lesions(grey)) for grey in (10, 200)]
    bundle.free.set()
    dark, light = (f.result(PATIENCE).scores["probability"].item() for f in futures)

    assert dark == pytest.approx(1 - 10 / 255)
    assert light == pytest.approx(1 - 200 / 255)
    assert [f.result().scores["rank"].item() for f in futures] == [1, 1]


def test_a_batch_is_not_larger_than_it_may_be_save_for_one_patient(scorer, bundle, counted):
    held(scorer, bundle)
    sizes = [3, 1, 1, 9, 1]
    futures = [scorer.score(lesions(*[50] * n)) for n in sizes]
    bundle.free.set()
    for f in futures:
        f.result(PATIENCE)
    scorer.stop()

    assert counted == [1, 4, 1, 9, 1]


def test_the_most_suspicious_lesions_are_explained(scorer):
    found = scorer.score(lesions(9, 200, 7, 8)).result(PATIENCE)

    assert [bool(r) for r in found.reasons] == [False, False, True, True]


def test_reasons_go_to_the_request_that_they_are_of(scorer, bundle):
    held(scorer, bundle)
    futures = [scorer.score(lesions(*[50] * n)) for n in (1, 2)]
    bundle.free.set()

    assert [len(f.result(PATIENCE).reasons) for f in futures] == [1, 2]


def test_a_lesion_without_tile_gets_the_median_of_its_own_patient(scorer, bundle):
    request = lesions(200, 220)
    del request.tiles["L1"]
    held(scorer, bundle)
    futures = [scorer.score(r) for r in (lesions(0, 0), request)]
    bundle.free.set()

    assert same(futures[1].result(PATIENCE).scores, alone(request))


@pytest.mark.parametrize(("sex", "error"), [("refused", InputError), ("defect", KeyError)])
def test_only_the_request_with_the_error_gets_it(scorer, bundle, sex, error):
    held(scorer, bundle)
    good, bad, other = (scorer.score(lesions(50, sex=s)) for s in ("male", sex, "female"))
    bundle.free.set()

    with pytest.raises(error):
        bad.result(PATIENCE)
    assert len(good.result(PATIENCE).scores) == len(other.result(PATIENCE).scores) == 1
    assert len(scorer.score(lesions(1)).result(PATIENCE).scores) == 1  # the thread lives


def test_a_request_that_is_cancelled_while_it_waits_is_not_scored(scorer, bundle, counted):
    held(scorer, bundle)
    gone, stays = scorer.score(lesions(1)), scorer.score(lesions(2))
    assert gone.cancel()
    bundle.free.set()
    stays.result(PATIENCE)
    scorer.stop()

    assert counted == [1, 1]


def test_a_call_between_requests_keeps_their_order_and_joins_no_batch(scorer, bundle, counted):
    held(scorer, bundle)
    first, call, last = scorer.score(lesions(1)), scorer.occlusion(lesions(51)), None
    last = scorer.score(lesions(2))
    assert scorer.n_waiting == 3
    bundle.free.set()

    assert call.result(PATIENCE).tolist() == [[0.8] * 4] * 3
    assert first.result(PATIENCE)
    assert last.result(PATIENCE)
    assert scorer.n_waiting == 0
    scorer.stop()
    assert counted == [1, 1, 1, 1]


def test_to_stop_is_to_score_what_waits_first(scorer, bundle):
    held(scorer, bundle)
    futures = [scorer.score(lesions(1, 2, 3)) for _ in range(3)]
    bundle.free.set()
    scorer.stop()

    assert all(f.done() and not f.cancelled() for f in futures)
