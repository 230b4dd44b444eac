"""skinlesion.crew: the pieces of many processes are joined, and none is waited for in vain."""

import os
from pathlib import Path

import pandas as pd
import pytest

from skinlesion import crew
from skinlesion.crew import Crew
from skinlesion.errors import InputError

N = 7


def pieces(scored: list[int] | None = None, n: int = N):
    """Piece i scores as i / 3, and is listed once it is scored."""

    def score(i: int) -> pd.DataFrame:
        if scored is not None:
            scored.append(i)
        return pd.DataFrame({"isic_id": [f"ISIC_{i}"], "logit": [i / 3], "reason": [""]})

    return (lambda i=i: score(i) for i in range(n))


def work(one: Crew, name: str = "holdout", **given) -> list[pd.DataFrame]:
    return list(one.together(name, pieces(**given)))


@pytest.fixture
def three(tmp_path):
    return [Crew(tmp_path / "pieces", 3, i) for i in range(3)]


def test_a_process_alone_gets_each_piece_as_soon_as_it_is_scored():
    scored: list[int] = []
    found = crew.ALONE.together("test", pieces(scored))
    next(found)
    next(found)

    assert scored == [0, 1]


def test_each_piece_is_scored_by_one_process(three):
    scored: list[list[int]] = [[], [], []]
    for i in (2, 1, 0):
        work(three[i], scored=scored[i])

    assert scored == [[0, 3, 6], [1, 4], [2, 5]]


def test_the_first_process_joins_all_pieces_to_the_bit(three):
    for one in three[1:]:
        assert work(one) == []

    joined, alone = (pd.concat(work(one), ignore_index=True) for one in (three[0], crew.ALONE))
    pd.testing.assert_frame_equal(joined, alone, check_exact=True)


def test_a_table_of_no_piece_is_joined_as_none(three):
    assert work(three[0], n=0) == []


def test_a_process_that_was_killed_goes_on_with_its_next_piece(three):
    work(three[1], n=3)
    again: list[int] = []
    work(three[1], scored=again)

    assert again == [4]


def test_half_a_piece_is_none(three, monkeypatch):
    def fails(self, path, **_) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(pd.DataFrame, "to_parquet", fails)
        with pytest.raises(KeyboardInterrupt):
            work(three[1])
    again: list[int] = []
    work(three[1], scored=again)

    assert again == [1, 4]


def test_tables_do_not_mix(three):
    for one in three[1:]:
        work(one, "fold 0")
        work(one, "fold 1", n=4)

    assert len(work(three[0], "fold 1", n=4)) == 4
    assert len(work(three[0], "fold 0")) == N


def test_joined_pieces_are_removed_by_the_process_that_joined_them(three):
    for one in three[::-1]:
        work(one)
    three[1].remove()
    assert len(list(three[0].folder.iterdir())) == N
    three[0].remove()

    assert not three[0].folder.exists()


# === Waiting ===


@pytest.fixture
def clock(monkeypatch):
    """Time, of which ten minutes pass whenever a process waits; and what happens meanwhile."""

    class Clock:
        now = 0.0

        def meanwhile(self) -> None:
            """Nothing."""

        def sleep(self, _: float) -> None:
            self.now += 600
            self.meanwhile()

    clock = Clock()
    monkeypatch.setattr(crew.time, "sleep", clock.sleep)
    for name in ("monotonic", "time"):
        monkeypatch.setattr(crew.time, name, lambda: clock.now)
    return clock


def come(folder: Path, now: float) -> None:
    """Date the pieces that came since, which bear the date of the real clock."""
    for path in folder.glob("*.parquet"):
        if path.stat().st_mtime > 1e6:
            os.utime(path, (now, now))


def test_the_first_process_waits_as_long_as_pieces_come(three, clock):
    def meanwhile() -> None:
        come(three[0].folder, clock.now - 600)
        work(three[1], n=int(clock.now / 600))
        work(three[2], n=int(clock.now / 600))
        come(three[0].folder, clock.now)

    clock.meanwhile = meanwhile

    assert len(work(three[0])) == N
    assert clock.now > 2 * crew.PATIENCE_S


def test_a_process_from_which_nothing_comes_is_named(three, clock):
    work(three[2])
    clock.meanwhile = lambda: come(three[0].folder, 0)
    with pytest.raises(InputError, match=r"holdout-000001\.parquet must come from process 1 of 3"):
        work(three[0])

    assert crew.PATIENCE_S < clock.now < 2 * crew.PATIENCE_S


# === The environment ===


@pytest.fixture
def environment(monkeypatch):
    def environment(count: str | None, process: str | None) -> None:
        for name, value in ((crew.COUNT, count), (crew.ID, process)):
            monkeypatch.delenv(name, raising=False)
            if value is not None:
                monkeypatch.setenv(name, value)

    return environment


def test_without_a_word_in_the_environment_a_process_is_alone(environment):
    environment(None, None)

    assert crew.of_environment(lambda: pytest.fail("no folder is needed")) is crew.ALONE


def test_the_environment_says_how_many_there_are_and_which_this_is(environment, tmp_path):
    environment("4", "3")

    assert crew.of_environment(lambda: tmp_path) == Crew(tmp_path, 4, 3)


@pytest.mark.parametrize(
    ("count", "process", "expected"),
    [
        ("4", None, r"PROCESS_ID must be a whole number from 0 to 3\. Got ''"),
        (None, "0", r"NUM_PROCESSES must be a whole number from 1 .* Got ''"),
        ("0", "0", r"NUM_PROCESSES must be .* Got '0'"),
        ("2", "2", r"PROCESS_ID must be a whole number from 0 to 1\. Got '2'"),
        ("2", "-1", r"PROCESS_ID must be .* Got '-1'"),
        ("two", "1", r"NUM_PROCESSES must be .* Got 'two'"),
    ],
)
def test_an_environment_that_names_no_process_is_an_error(
    environment, tmp_path, count, process, expected
):
    environment(count, process)
    with pytest.raises(InputError, match=expected):
        crew.of_environment(lambda: tmp_path)
