"""What each fold stands for: a number alone, or the clinics whose patients it holds."""

from pathlib import Path

from skinlesion.params import Block, load_json

__all__ = ["Fold", "FoldNames", "load", "save"]


class Fold(Block):
    """One fold of clinics."""

    fold: int
    name: str
    clinics: list[str]  # [] of lesions without a value
    left_out: bool  # False: too few to be left out, so every model learns from them
    n_lesions: int
    n_patients: int
    n_positives: int


class FoldNames(Block):
    """The file folds.json."""

    by: str  # `split.by`
    folds: list[Fold]  # [] of patient folds

    def to_leave_out(self) -> list[int]:
        """List the folds that may be left out."""
        return [each.fold for each in self.folds if each.left_out]


def save(path: Path, names: FoldNames) -> None:
    """Write folds.json; equal names give equal bytes.

    Args:
        path: The file.
        names: What it holds.
    """
    path.write_text(names.model_dump_json(indent=1) + "\n", encoding="utf-8")


def load(path: Path) -> FoldNames:
    """Read folds.json.

    Args:
        path: The file.

    Raises:
        InputError: It is absent or malformed.
    """
    return load_json(path, FoldNames, "the names of folds")
