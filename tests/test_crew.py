"""skinlesion.crew: the pieces of many processes are joined, and none is waited for in vain."""

import os
import shutil
from pathlib import Path

import pandas as pd
import pytest

from skinlesion import crew, processes
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
    def fails(self, file, **_) -> None:
        file.write(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(pd.DataFrame, "to_parquet", fails)
        with pytest.raises(KeyboardInterrupt):
            work(three[1])
    again: list[int] = []
    work(three[1], scored=again)

    assert again == [1, 4]


def test_two_that_were_started_as_the_same_process_do_not_mix(three, monkeypatch):
    to_parquet, beside = pd.DataFrame.to_parquet, []

    def meanwhile(self, file, **given) -> None:
        file.write(b"half")
        if not beside:
            beside.append("the other")
            work(three[1], n=2)
            file.seek(0)
        to_parquet(self, file, **given)

    monkeypatch.setattr(pd.DataFrame, "to_parquet", meanwhile)
    work(three[1], n=2)

    [path] = three[1].folder.iterdir()
    assert pd.read_parquet(path)["logit"].tolist() == [1 / 3]


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


def test_parts_of_killed_processes_are_no_pieces_and_are_removed_with_them(three):
    three[0].folder.mkdir()
    for name in ("holdout-000001.part", "holdout-000001-8c1f.part"):
        (three[0].folder / name).write_bytes(b"half")
    for one in three[1:]:
        work(one)

    assert len(work(three[0])) == N
    three[0].remove()
    assert not three[0].folder.exists()


def test_a_process_that_is_started_again_while_all_is_removed_hinders_nobody(three, monkeypatch):
    for one in three[::-1]:
        work(one)
    rmdir = os.rmdir

    def late(*args, **given) -> None:
        work(three[1])
        rmdir(*args, **given)

    monkeypatch.setattr(os, "rmdir", late)
    three[0].remove()

    assert sorted(path.name for path in three[0].folder.iterdir()) == [
        "holdout-000001.parquet",
        "holdout-000004.parquet",
    ]


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


@pytest.fixture
def waits_in_vain(three, clock):
    """Have the first process wait for the second; return what it says then."""

    def wait() -> str:
        work(three[2])
        clock.meanwhile = lambda: come(three[0].folder, 0)
        with pytest.raises(InputError) as caught:
            work(three[0])
        return str(caught.value)

    return wait


def test_folders_where_a_process_with_another_key_has_put_pieces_are_named(
    three, waits_in_vain, tmp_path
):
    for name, when in (("older", 100), ("newest", 300), ("newer", 200)):
        other = Crew(tmp_path / name, 3, 1)
        work(other)
        for path in other.folder.iterdir():
            os.utime(path, (when, when))
    (tmp_path / "empty").mkdir()
    (tmp_path / "training.npz").touch()
    said = waits_in_vain()

    assert "other params, code, data or another kind of machine than this one" in said
    named = ", ".join(str(tmp_path / name) for name in ("newest", "newer", "older"))
    assert said.endswith(f"; the newest of others are in {named}.")


def test_of_many_folders_the_newest_are_named(waits_in_vain, tmp_path):
    for when in range(1, 10):
        (tmp_path / f"run-{when}").mkdir()
        (tmp_path / f"run-{when}" / "piece.parquet").touch()
        os.utime(tmp_path / f"run-{when}" / "piece.parquet", (when, when))

    assert [f"run-{i}" in waits_in_vain() for i in (9, 5, 4)] == [True, True, False]


def test_where_there_is_no_other_folder_none_is_named(waits_in_vain):
    assert waits_in_vain().endswith("its pieces are in the folder that it named at its start.")


def test_a_folder_that_is_removed_meanwhile_is_not_named(waits_in_vain, tmp_path, monkeypatch):
    work(Crew(tmp_path / "joined", 3, 1))
    glob = Path.glob

    def late(path: Path, pattern: str):
        found = list(glob(path, pattern))
        if path.name == "joined":
            shutil.rmtree(path)
        return iter(found)

    monkeypatch.setattr(Path, "glob", late)

    assert waits_in_vain().endswith("that it named at its start.")


# === The environment ===


@pytest.fixture
def environment(monkeypatch):
    def environment(count: str | None, process: str | None) -> None:
        for name in processes.NAMES:
            monkeypatch.delenv(name, raising=False)
        for name, value in ((processes.COUNT, count), (processes.ID, process)):
            if value is not None:
                monkeypatch.setenv(name, value)

    return environment


def test_without_a_word_in_the_environment_a_process_is_alone_and_says_nothing(environment, capsys):
    environment(None, None)

    assert crew.of_environment(lambda: pytest.fail("no folder is needed")) is crew.ALONE
    assert capsys.readouterr().out == ""


def test_the_environment_says_how_many_there_are_and_which_this_is(environment, tmp_path):
    environment("4", "3")

    assert crew.of_environment(lambda: tmp_path) == Crew(tmp_path, 4, 3)


@pytest.mark.parametrize("process", ["0", "3"])
def test_each_process_says_at_once_where_its_pieces_go(environment, tmp_path, capsys, process):
    environment("4", process)
    crew.of_environment(lambda: tmp_path)

    assert capsys.readouterr().out == f"process {process} of 4: pieces are in {tmp_path}\n"


def test_one_of_one_has_no_pieces_to_speak_of(environment, tmp_path, capsys):
    environment("1", "0")
    crew.of_environment(lambda: tmp_path)

    assert capsys.readouterr().out == ""


def test_an_environment_that_names_processes_in_part_is_an_error(environment, tmp_path):
    environment("4", None)
    with pytest.raises(InputError, match=r"PROCESS_ID must be .* It is not set\."):
        crew.of_environment(lambda: tmp_path)
