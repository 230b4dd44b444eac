"""Rows of a table put in another order on disk, so that those of a patient can be read together."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import numpy as np
import pandas as pd

__all__ = ["Spill", "parts"]


class Spill:
    """Columns of numbers and of text, part by part, in a file without a name.

    Numbers keep their bits. It is a context, at whose end the file is gone.
    """

    def __init__(
        self, folder: Path, part: np.ndarray, *, numeric: list[str], text: list[str]
    ) -> None:
        """Make room.

        Args:
            folder: Where the file lies; of its disk it takes 8 bytes a value.
            part: Shape (n_rows,), which part each row of the table belongs to, from 0.
            numeric: Columns of numbers.
            text: Columns of text, each of few different values.
        """
        self._numeric, self._text = numeric, text
        self._part, self._width = part, 8 * (len(numeric) + len(text))
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(part))])
        self._ends = self._starts[:-1].copy()  # where the next row of each part goes
        self._codes: dict[str, dict[str, int]] = {name: {} for name in text}
        self._n_written = 0
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 (`__exit__` closes it)

    def __enter__(self) -> "Spill":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._file.close()

    def write(self, lesions: pd.DataFrame) -> None:
        """Put the next rows of the table where they belong.

        Args:
            lesions: The columns: numbers as float64, text with None where it is missing.
        """
        columns = [lesions[name].to_numpy(np.float64) for name in self._numeric]
        columns += [self._coded(name, lesions[name]) for name in self._text]
        values = np.stack(columns, axis=1) if columns else np.empty((len(lesions), 0))
        part = self._part[self._n_written : self._n_written + len(lesions)]
        order = np.argsort(part, kind="stable")
        numbers, begins = np.unique(part[order], return_index=True)
        for k, rows in zip(numbers, np.split(order, begins[1:]), strict=True):
            self._file.seek(int(self._ends[k]) * self._width)
            self._file.write(values[rows].tobytes())
            self._ends[k] += len(rows)
        self._n_written += len(lesions)

    def read(self) -> Iterator[tuple[np.ndarray, pd.DataFrame]]:
        """Yield the parts: their rows in the table, rising, and their columns."""
        self._file.flush()
        values = {name: np.array([None, *codes], object) for name, codes in self._codes.items()}
        order = np.argsort(self._part, kind="stable")
        for start, stop in zip(self._starts, self._starts[1:], strict=False):
            n_bytes = int(stop - start) * self._width
            content = os.pread(self._file.fileno(), n_bytes, int(start) * self._width)
            array = np.frombuffer(content).reshape(stop - start, self._width // 8)
            columns = dict(zip([*self._numeric, *self._text], array.T, strict=True))
            columns |= {name: values[name][columns[name].astype(int)] for name in self._text}
            yield order[start:stop], pd.DataFrame(columns, index=range(stop - start))

    def _coded(self, name: str, column: pd.Series) -> np.ndarray:
        code, found = pd.factorize(column)
        known = self._codes[name]
        codes = np.array([known.setdefault(value, len(known) + 1) for value in found] + [0])
        return codes[code].astype(np.float64)


def parts(patients: pd.Series, n_at_a_time: int) -> tuple[np.ndarray, np.ndarray]:
    """Divide lesions into parts of whole patients.

    Args:
        patients: patient_id of each lesion; who has none is a patient of their own.
        n_at_a_time: Lesions of a part; a part has more only by its last patient.

    Returns:
        The part of each lesion, from 0, and a number of its patient; in the order of the table.
    """
    code = pd.factorize(patients)[0]
    nobody = code < 0
    code[nobody] = code.max(initial=-1) + 1 + np.arange(nobody.sum())
    # Patients by their first lesion, so that a table without patients is cut as it stands.
    code = pd.factorize(code)[0]
    n = np.bincount(code)
    part = (np.cumsum(n) - n) // n_at_a_time
    return np.unique(part[code], return_inverse=True)[1], code
