"""Categories of a table: one spelling for each, however a file writes it."""

import re

import pandas as pd

__all__ = ["canonical", "shown"]

_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?")


def canonical(column: pd.Series) -> pd.Series:
    """Return what stays of each category however it is written.

    A gap makes spreadsheets and pandas write the code 3 as 3.0, and True is TRUE elsewhere.

    Args:
        column: Texts, numbers or truth values.

    Returns:
        Texts without case, spaces around or repeated within, and without the zeros that do not
        change a number. Missing where a value is missing or blank.
    """
    return _each(column, _canonical)


def shown(column: pd.Series) -> pd.Series:
    """Return the commonest spelling of each category; of those alike common, the first.

    Args:
        column: Texts, numbers or truth values.

    Returns:
        The spellings by canonical category. A number is spelled as its canonical category.
    """
    written = pd.DataFrame({"key": canonical(column), "text": _each(column, _spaced)}).dropna()
    counts = written.value_counts().reset_index(name="n")
    first = counts.sort_values(["n", "text"], ascending=[False, True]).drop_duplicates("key")
    spelled = first.set_index("key")["text"]
    is_number = spelled.index.map(lambda text: _NUMBER.fullmatch(text) is not None)
    return spelled.where(~is_number.to_numpy(bool), spelled.index)


def _each(column: pd.Series, change: object) -> pd.Series:
    """Change each distinct value once."""
    codes, values = pd.factorize(column)
    texts = [change(str(value)) or None for value in values]  # type: ignore[operator]
    changed = pd.Series([*texts, None], dtype="str")
    return pd.Series(changed.array.take(codes), column.index)  # -1, of what is missing, is last


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _canonical(text: str) -> str:
    plain = _spaced(text).casefold()
    if not _NUMBER.fullmatch(plain):
        return plain
    whole, _, fraction = plain.lstrip("+-").partition(".")
    number = (whole.lstrip("0") or "0") + f".{fraction.rstrip('0')}".rstrip(".")
    return f"-{number}" if plain.startswith("-") and number != "0" else number
