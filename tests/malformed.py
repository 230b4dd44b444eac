"""Strategies of hypothesis for malformed and odd tables and params: what people's files are like.

A table is a right one to which up to three things happened. Whoever reads it must get a result
or one InputError.
"""

import io
import os
from collections.abc import Callable

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

__all__ = ["IDS", "blocks", "often", "right", "tables"]

N = 24  # lesions of a right table
IDS = [f"ISIC_{i:04d}" for i in range(N)]
CELLS = [
    *("", " ", "nan", "NA", "None", "null", "-", "?", "0", "-999", "999", "-5", "1e400", "inf"),
    *("1e39", "0x10", "1,5", "3.0", "03", "TRUE", "True", "ü", "😀", "=1+1", "'", '"', '""'),
    *("a\nb", "a\rb", "x" * 2000, "ISIC_0000", "isic_0001", "ISIC_1", "ip_1 ", "IP_01", "../x"),
    *("missing", "unseen", "\u00a0", "\u200b", "\uff11\uff12", "1_000", "1 000", "\u0663"),
]


def often(n: int) -> settings:
    """Settings of a test of n examples in the suite, and FUZZ times as many where that is set.

    In the suite they are the same each time: what is found by chance is for `make fuzz`.

    Args:
        n: Examples in the suite.
    """
    slow = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
    factor = int(os.environ.get("FUZZ", "1"))
    given = {"derandomize": "FUZZ" not in os.environ, "suppress_health_check": slow}
    return settings(max_examples=n * factor, deadline=None, **given)


def right(*, training: bool) -> pd.DataFrame:
    """A table that check accepts, of N lesions and all kinds of column.

    Args:
        training: Whether target is there.
    """
    table = pd.DataFrame(
        {
            "isic_id": IDS,
            "patient_id": [f"IP_{i // 3}" for i in range(N)],
            "target": [int(i % 5 == 0) for i in range(N)],
            "age_approx": np.linspace(20, 80, N).round(),
            "sex": ["male", "female"] * (N // 2),
            "tbp_lv_A": np.linspace(5, 30, N).round(3),
            "grade": [1, 2, 3] * (N // 3),
        }
    )
    return table if training else table.drop(columns="target")


@st.composite
def tables(draw: Callable, *, training: bool) -> bytes:
    """The bytes of a malformed, odd, or right table.

    Args:
        draw: Of hypothesis.
        training: Whether it is of the training half.
    """
    table, where = right(training=training).astype(object), draw(st.sampled_from(WHERE))
    for _ in range(draw(st.integers(0, 3)) if where == "table" else 0):
        table = draw(st.sampled_from(TO_TABLES))(draw, table)
    buffer = io.StringIO()
    table.to_csv(buffer, index=False, lineterminator=draw(st.sampled_from(["\n", "\r\n", "\r"])))
    text = buffer.getvalue()
    for _ in range(draw(st.integers(1, 2)) if where == "text" else 0):
        text = draw(st.sampled_from(TO_TEXTS))(draw, text)
    if where == "encoding":
        return text.encode(draw(st.sampled_from(ENCODINGS)), errors="replace")
    data = text.encode()
    return draw(st.sampled_from(TO_BYTES))(draw, data) if where == "bytes" else data


def _cell(draw: Callable, table: pd.DataFrame) -> pd.DataFrame:
    if table.empty:
        return table
    row = draw(st.integers(0, len(table) - 1))
    column = draw(st.integers(0, table.shape[1] - 1))
    changed = table.copy()
    changed.iloc[row, column] = draw(st.sampled_from(CELLS) | st.text(max_size=5))
    return changed


def _column(draw: Callable, table: pd.DataFrame) -> pd.DataFrame:
    """One value in the whole of a column."""
    name = draw(st.sampled_from(list(table.columns)))
    return table.assign(**{name: draw(st.sampled_from(CELLS))})


def _renamed(draw: Callable, table: pd.DataFrame) -> pd.DataFrame:
    names = list(table.columns)
    place = draw(st.integers(0, len(names) - 1))
    names[place] = draw(
        st.sampled_from([names[0], names[-1], "", " ", "x", f" {names[place]}", "\t"])
    )
    return table.set_axis(names, axis=1)


def _dropped(draw: Callable, table: pd.DataFrame) -> pd.DataFrame:
    keep = draw(st.lists(st.booleans(), min_size=table.shape[1], max_size=table.shape[1]))
    return table.loc[:, keep] if sum(keep) else table


def _repeated(draw: Callable, table: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([table, table.head(draw(st.integers(0, 3)))], ignore_index=True)


def _shortened(draw: Callable, table: pd.DataFrame) -> pd.DataFrame:
    return table.head(draw(st.integers(0, 3)))


def _ordered(draw: Callable, table: pd.DataFrame) -> pd.DataFrame:
    rows, names = (
        draw(st.permutations(range(len(table)))),
        draw(st.permutations(list(table.columns))),
    )
    return table.iloc[rows][list(dict.fromkeys(names))]


def _widened(draw: Callable, table: pd.DataFrame) -> pd.DataFrame:
    """A further column, of one odd value or a part of them."""
    values = draw(st.lists(st.sampled_from(CELLS), min_size=1, max_size=3))
    return table.assign(clinic=[values[i % len(values)] for i in range(len(table))])


def _spelled(draw: Callable, table: pd.DataFrame) -> pd.DataFrame:
    """Half of a column's texts written otherwise, as two exports put together."""
    name = draw(st.sampled_from(list(table.columns)))
    change = draw(
        st.sampled_from([str.lower, str.upper, "{} ".format, "0{}".format, "{}.0".format])
    )
    texts = table[[name]].iloc[:, 0].astype(str)
    other = [change(text) if i % 2 else text for i, text in enumerate(texts)]
    return table.assign(**{name: other})


def _cut(draw: Callable, text: str) -> str:
    return text[: draw(st.integers(0, len(text)))]


def _inserted(draw: Callable, text: str) -> str:
    place = draw(st.integers(0, len(text)))
    odd = draw(
        st.sampled_from([",", '"', "\n", "\r", "\0", " ", "\n\n", '"\n', ";", "\ufeff", ",,"])
    )
    return text[:place] + odd + text[place:]


def _separated(draw: Callable, text: str) -> str:
    return text.replace(",", draw(st.sampled_from(["\t", ";", "|", ", ", ",,"])))


def _bent(draw: Callable, text: str) -> str:
    """The separators of one line only."""
    lines = text.split("\n")
    place = draw(st.integers(0, len(lines) - 1))
    lines[place] = draw(st.sampled_from(["", " ", ",", lines[place] + ",", lines[place][:7], "#"]))
    return "\n".join(lines)


def _flipped(draw: Callable, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        if changed:
            changed[draw(st.integers(0, len(changed) - 1))] = draw(st.integers(0, 255))
    return bytes(changed)


def _zeroed(draw: Callable, data: bytes) -> bytes:
    start = draw(st.integers(0, len(data)))
    return data[:start] + bytes(draw(st.sampled_from([1, 512, 4096])))


def _foreign(draw: Callable, data: bytes) -> bytes:
    starts = [b"", b"PK\x03\x04", b"\x1f\x8b", b"\xef\xbb\xbf", b"<html>", b"\xff\xfe", b"{", b"\0"]
    return draw(st.sampled_from(starts)) + data[: draw(st.integers(0, 99))]


WHERE = ["table"] * 5 + ["text", "text", "bytes", "encoding"]
TO_TABLES = [
    _cell,
    _cell,
    _cell,
    _ordered,
    _widened,
    _column,
    _renamed,
    _dropped,
    _repeated,
    _shortened,
    _spelled,
]
TO_TEXTS = [_cut, _inserted, _separated, _bent]
TO_BYTES = [_flipped, _zeroed, _foreign]
ENCODINGS = ["utf-8-sig", "utf-16", "utf-16-le", "cp1252", "latin-1", "utf-7", "cp037"]

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.sampled_from(["", "none", "all", "1e-3", "ü", "a\nb", "$x", "'", "male", "robust"]),
    st.lists(st.integers(-1, 3) | st.sampled_from(["x", "sex"]), max_size=3),
    st.dictionaries(st.sampled_from(["seed", "x", "rate"]), st.integers(), max_size=2),
)


@st.composite
def blocks(draw: Callable, *, block: dict) -> object:
    """A block of params with odd values, absent and unknown keys; or none at all.

    Args:
        draw: Of hypothesis.
        block: The right one.
    """
    if draw(st.integers(0, 9)) == 0:
        return draw(VALUES)
    changed = dict(block)
    for _ in range(draw(st.integers(0, 3))):
        key = draw(st.sampled_from([*block, *block, "seeds", "Seed", "x-y"]))
        if draw(st.integers(0, 4)):
            changed[key] = draw(VALUES)
        else:
            changed.pop(key, None)
    return changed
