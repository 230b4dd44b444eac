"""What a pull request changes of the graph of stages."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.stage import PipelineStage, Stage

from skinlesion.errors import InputError

__all__ = ["Difference", "Graph", "compare", "mermaid", "read"]

Arrow = tuple[str, str]  # from a stage to one that reads what it writes

ADDED, CHANGED, REMOVED, SAME = "added", "changed", "removed", "same"
LOOK = {
    ADDED: "stroke:#1a7f37,stroke-width:3px",
    CHANGED: "stroke:#bf8700,stroke-width:3px",
    REMOVED: "stroke:#cf222e,stroke-width:2px,stroke-dasharray:4",
}
LINE = {ADDED: "==>", SAME: "-->", REMOVED: "-.->"}


@dataclass(frozen=True, kw_only=True)
class Graph:
    """The stages of a commit."""

    stages: Mapping[str, object]  # by name: command, params, and hashes of inputs and outputs
    arrows: frozenset[Arrow]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The stages that differ between two commits and their neighbours; "added" and so on."""

    stages: Mapping[str, str]
    arrows: Mapping[Arrow, str]

    def named(self, kind: str) -> list[str]:
        """List the stages of one kind, sorted."""
        return sorted(name for name, of in self.stages.items() if of == kind)


def read(commit: str, clone: Path) -> Graph:
    """Read the stages of a commit from dvc.yaml and dvc.lock.

    Args:
        commit: Which version of them.
        clone: A clone that holds the commit, with or without its data.

    Raises:
        InputError: The commit has no pipeline that DVC can read.
    """
    try:
        with Repo(str(clone), rev=commit) as repo:
            graph = repo.index.graph
            return Graph(
                stages={_name(stage): _state(stage) for stage in graph.nodes},
                arrows=frozenset((_name(source), _name(stage)) for stage, source in graph.edges),
            )
    except DvcException as error:
        raise InputError(f"dvc.yaml of {commit[:7]} must be a pipeline. {error}") from None


def compare(before: Graph, after: Graph) -> Difference:
    """Find the stages and arrows that differ, and the neighbours of these.

    Args:
        before: The graph of a commit.
        after: That of another one.
    """
    stages = {
        name: _kind(before.stages.get(name), after.stages.get(name))
        for name in before.stages.keys() | after.stages.keys()
    }
    arrows = {
        arrow: _kind(arrow in before.arrows or None, arrow in after.arrows or None)
        for arrow in before.arrows | after.arrows
    }
    shown = {a: k for a, k in arrows.items() if {k, stages[a[0]], stages[a[1]]} != {SAME}}
    touched = {name for arrow in shown for name in arrow}
    return Difference(
        stages={n: k for n, k in sorted(stages.items()) if k != SAME or n in touched},
        arrows=dict(sorted(shown.items())),
    )


def mermaid(difference: Difference) -> str:
    """Draw a difference as Mermaid, in a Markdown block; "" where there is none."""
    if not difference.stages:
        return ""
    number = {name: f"stage{i}" for i, name in enumerate(difference.stages)}
    boxes = [
        f'{number[name]}["{name}"]' + (f":::{kind}" if kind != SAME else "")
        for name, kind in difference.stages.items()
    ]
    lines = [f"{number[a]} {LINE[kind]} {number[b]}" for (a, b), kind in difference.arrows.items()]
    looks = [f"classDef {kind} {look}" for kind, look in LOOK.items()]
    return "\n".join(["```mermaid", "flowchart TD", *boxes, *lines, *looks, "```"])


def _kind(before: object, after: object) -> str:
    if before is None or after is None:
        return ADDED if before is None else REMOVED
    return SAME if before == after else CHANGED


def _name(stage: Stage) -> str:
    return stage.name if isinstance(stage, PipelineStage) else Path(stage.path).name


def _state(stage: Stage) -> object:
    files = [(item.def_path, item.hash_info.value) for item in (*stage.deps, *stage.outs)]
    return stage.cmd, sorted(files, key=str)
