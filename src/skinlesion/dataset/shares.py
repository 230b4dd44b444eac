"""How much of a column is missing or unseen, against what the training lesions had."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import sqrt

__all__ = ["Shares", "Tally"]

MIN_LESIONS = 20  # of fewer, all may lack a value by chance; one lesion is a table, too
MARGIN = 1.5  # times as large a share is no news where lesions come a patient at a time
N_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Shares:
    """What the training lesions lacked in a column."""

    n_lesions: int
    missing: float  # share of the lesions, 0 to 1
    unseen: float = 0.0  # share whose category is too rare to be known, 0 to 1


@dataclass
class Tally:
    """What other lesions lack in it, counted over any number of pieces."""

    n_lesions: int = 0
    n_missing: int = 0
    unseen: Counter[str] = field(default_factory=Counter)

    def add(self, n_lesions: int, *, n_missing: int, unseen: Iterable[str] = ()) -> None:
        """Count further lesions.

        Args:
            n_lesions: How many.
            n_missing: Those without a value.
            unseen: The values of those whose value is none of the known.
        """
        self.n_lesions += n_lesions
        self.n_missing += n_missing
        self.unseen.update(unseen)

    def error(self, training: Shares) -> str:
        """Say that no lesion has a value that is known, though training lesions had.

        Args:
            training: What they lacked.

        Returns:
            A finding, or "".
        """
        n_lacking = self.n_missing + self.unseen.total()
        known = training.missing + training.unseen < 1
        if self.n_lesions < MIN_LESIONS or n_lacking < self.n_lesions or not known:
            return ""
        if not self.unseen:
            return f"it must not be missing from all {self.n_lesions:,} lesions"
        return f"it must have values that training had. Got only {self._values()}"

    def warnings(self, training: Shares) -> list[str]:
        """Say what more of these lesions lack than training lesions did.

        Args:
            training: What they lacked.

        Returns:
            Findings.
        """
        n_unseen, found = self.unseen.total(), []
        if self._exceeds(self.n_missing, training.missing, training.n_lesions):
            found.append(
                f"{self._share(self.n_missing)} missing, {training.missing:.1%} in training"
            )
        if self._exceeds(n_unseen, training.unseen, training.n_lesions):
            found.append(
                f"{self._share(n_unseen)} unseen, {training.unseen:.1%} in training: "
                f"{self._values()}"
            )
        return found

    def _exceeds(self, count: int, share: float, n_training: int) -> bool:
        # Chance: three standard deviations above what training leads to expect.
        p = (share * n_training + 1) / (n_training + 2)
        return count > MARGIN * self.n_lesions * p + 3 * sqrt(self.n_lesions * p * (1 - p))

    def _share(self, count: int) -> str:
        return f"{count / self.n_lesions:.1%} of {self.n_lesions:,} lesions"

    def _values(self) -> str:
        listed = [f"{value!r} ({n:,})" for value, n in self.unseen.most_common(N_SHOWN)]
        return ", ".join(listed) + " ..." * (len(self.unseen) > N_SHOWN)
