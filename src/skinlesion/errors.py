"""The one error that a user can mend, and how a command line shows it."""

import sys
from collections.abc import Callable

__all__ = ["InputError", "run"]


class InputError(ValueError):
    """A file, a table, a tile or a param is not what it must be.

    Its message is one that a user can act upon: it names the file, the isic_id or the
    key, what was expected and what was found. Any other exception is a defect of ours.
    """


def run(main: Callable[..., None], *args: object) -> None:
    """Call `main(*args)` as the body of a command line.

    Args:
        main: The body of a stage.
        *args: Its arguments, from the command line.

    Raises:
        SystemExit: With code 1, after an InputError was printed on stderr without traceback.
    """
    try:
        main(*args)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
