"""experiments.stage_graph: which stages differ, and what is next to them."""

import pytest
from tests import two_commits

from skinlesion.errors import InputError
from skinlesion.experiments import stage_graph
from skinlesion.experiments.stage_graph import Graph

pytest_plugins = ["tests.clones"]


def graph(arrows: str, **states: str) -> Graph:
    """A graph as "ab bc": a before b before c; a state other than "" is given by name."""
    names = set(arrows.replace(" ", "")) | states.keys()
    return Graph(
        stages={name: states.get(name, "") for name in names},
        arrows=frozenset((pair[0], pair[1]) for pair in arrows.split()),
    )


CHAIN = graph("ab bc cd de")


def test_two_equal_graphs_do_not_differ():
    found = stage_graph.compare(CHAIN, CHAIN)

    assert (found.stages, found.arrows) == ({}, {})
    assert stage_graph.mermaid(found) == ""


def test_a_stage_that_differs_is_shown_with_its_neighbours_only():
    found = stage_graph.compare(CHAIN, graph("ab bc cd de", b="other"))

    assert found.stages == {"a": "same", "b": "changed", "c": "same"}
    assert found.arrows == {("a", "b"): "same", ("b", "c"): "same"}
    assert found.named("changed") == ["b"]


def test_a_stage_that_only_one_side_has_is_added_or_removed():
    shorter = graph("ab bc cd")

    assert stage_graph.compare(shorter, CHAIN).stages == {"d": "same", "e": "added"}
    assert stage_graph.compare(shorter, CHAIN).arrows == {("d", "e"): "added"}
    assert stage_graph.compare(CHAIN, shorter).stages == {"d": "same", "e": "removed"}
    assert stage_graph.compare(CHAIN, shorter).arrows == {("d", "e"): "removed"}


def test_an_arrow_between_stages_that_are_the_same_is_shown_where_it_is_new():
    found = stage_graph.compare(CHAIN, graph("ab bc cd de ad"))

    assert found.stages == {"a": "same", "d": "same"}
    assert found.arrows == {("a", "d"): "added"}


def test_a_lone_stage_that_differs_is_shown():
    found = stage_graph.compare(CHAIN, graph("ab bc cd de", x=""))

    assert found.stages == {"x": "added"}


def test_a_drawing_has_a_box_per_stage_a_line_per_arrow_and_a_look_per_kind():
    drawn = stage_graph.mermaid(stage_graph.compare(CHAIN, graph("ab bc", b="other")))
    lines = drawn.splitlines()

    assert (lines[:2], lines[-1]) == (["```mermaid", "flowchart TD"], "```")
    assert 'stage1["b"]:::changed' in lines
    assert 'stage0["a"]' in lines
    assert "stage0 --> stage1" in lines
    assert "stage3 -.-> stage4" in lines
    assert sum(line.startswith("classDef ") for line in lines) == 3


def test_the_stages_of_a_commit_are_read_in_a_clone_without_data(clone, pair):
    before, after = (stage_graph.read(commit, clone) for commit in pair)

    assert before.stages.keys() == after.stages.keys() == {"predict", "evaluate"}
    assert before.arrows == after.arrows == {("predict", "evaluate")}
    assert stage_graph.compare(before, after).named("changed") == ["evaluate", "predict"]


def test_a_stage_whose_command_changed_differs_and_the_one_before_it_does_not(own):
    two_commits.edit(own, "dvc.yaml", "cp -r drawn/plots", "cp -rf drawn/plots")
    two_commits.commit(own, "another command")
    found = stage_graph.compare(*(stage_graph.read(c, own) for c in ("HEAD~1", "HEAD")))

    assert found.stages == {"predict": "same", "evaluate": "changed"}


def test_a_stage_that_never_ran_is_read(own):
    two_commits.shell(own, "rm dvc.lock")
    two_commits.commit(own, "no lock")

    assert stage_graph.read("HEAD", own).stages.keys() == {"predict", "evaluate"}


def test_a_commit_without_a_pipeline_is_refused(own):
    two_commits.edit(own, "dvc.yaml", "stages:", "stages: [")
    two_commits.commit(own, "spoilt")

    with pytest.raises(InputError, match=r"dvc\.yaml of HEAD must be a pipeline"):
        stage_graph.read("HEAD", own)
