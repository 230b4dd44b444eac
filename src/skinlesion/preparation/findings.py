"""What is wrong with a challenge folder, grouped so that it can be said at once."""

from collections import defaultdict
from dataclasses import dataclass, field

import pandas as pd

from skinlesion.dataset import stores
from skinlesion.errors import InputError

__all__ = ["Findings", "Part"]

N_EXAMPLES = 10


@dataclass
class Findings:
    """All that is wrong, grouped: what, and which lesions."""

    errors: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    warnings: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def lines(self, kind: str) -> list[str]:
        """Describe each group in a line: its count and its first ten isic_ids, if it has any.

        Args:
            kind: "errors" or "warnings".
        """
        return [
            _printable(what + (f" ({len(ids):,}): {', '.join(ids[:N_EXAMPLES])}" if ids else ""))
            + " ..." * (len(ids) > N_EXAMPLES)
            for what, ids in getattr(self, kind).items()
        ]

    def require_none(self) -> None:
        """Refuse a folder with errors.

        Raises:
            InputError: There are errors; all of them are in the message.
        """
        if self.errors:
            lines = "\n".join(f"  {line}" for line in self.lines("errors"))
            raise InputError(f"check: the data must be whole. Found:\n{lines}")


def _printable(line: str) -> str:
    """Escape what is no text: the name of a file, or a key of HDF5, may hold any bytes."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


@dataclass(frozen=True)
class Part:
    """The training or the test half of a challenge folder."""

    table: pd.DataFrame
    table_name: str
    store: stores.Store
    store_name: str
    training: bool  # whether patient_id and target are required, and broken tiles are errors
