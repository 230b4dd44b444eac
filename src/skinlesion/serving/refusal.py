"""What is wrong with a request, as its sender is told."""

import re
from collections.abc import Iterable

from pydantic import BaseModel, Field

from skinlesion.errors import InputError

__all__ = ["Finding", "RefusalError", "Refused", "of_input", "one"]

N_SHOWN = 80  # characters of a value that is quoted
_SENTENCE = re.compile(r"(?P<field>.*?)\bmust (?P<expected>.+?)\. (?P<found>.+)", re.DOTALL)


class Finding(BaseModel):
    """One thing that is wrong."""

    field: str = Field(description="Where: a part of the request, a column, a lesion.")
    expected: str
    found: str


class Refused(BaseModel):
    """The answer to a request that is refused."""

    detail: list[Finding]


class RefusalError(Exception):
    """A request that gets no other answer than why.

    Args:
        status: Of HTTP, 400 to 503.
        findings: What is wrong.
        retry_after: Seconds after which it may be sent again.
    """

    def __init__(
        self, status: int, findings: Iterable[Finding], *, retry_after: int | None = None
    ) -> None:
        super().__init__(status)
        self.status, self.findings, self.retry_after = status, list(findings), retry_after


def one(
    status: int, field: str, expected: str, found: object, *, retry_after: int | None = None
) -> RefusalError:
    """Refuse for one reason.

    Args:
        status: Of HTTP.
        field: Where it is.
        expected: What must be there.
        found: What is there instead; a long text is cut.
        retry_after: As for `RefusalError`.
    """
    text = str(found)
    shown = text[:N_SHOWN] + "..." * (len(text) > N_SHOWN)
    # What cannot be written as UTF-8, half a surrogate pair, would break the answer.
    plain = shown.encode("utf-8", "replace").decode()
    finding = Finding(field=field, expected=expected, found=plain)
    return RefusalError(status, [finding], retry_after=retry_after)


def of_input(error: InputError, field: str) -> RefusalError:
    """Refuse what the code that reads files finds wrong.

    Args:
        error: Its message reads "<name> must <be so>. <What was found>."
        field: The part of the request that was read.
    """
    message = str(error)
    match = _SENTENCE.fullmatch(message)
    if match is None:
        return RefusalError(422, [Finding(field=field, expected="usable", found=message)])
    name = match["field"].strip()
    where = f"{field}: {name}" if name and name != field else field
    return RefusalError(
        422, [Finding(field=where, expected=match["expected"], found=match["found"])]
    )
