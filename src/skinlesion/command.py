"""Run a function as a command: its parameters are the command line, its errors one line each."""

import dataclasses
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, get_type_hints

import click

from skinlesion.errors import InputError

__all__ = ["one_line_errors", "run"]

INTERRUPTED = 130  # as a shell reports a program that Ctrl-C ended


def run(main: Callable[..., None]) -> None:
    """Run `main` with the arguments of the command line, as the body of a script.

    Args:
        main: Its positional parameters are arguments, its keyword-only ones options. A dataclass
            as a parameter stands for its fields, each an option. The help is the docstring of its
            module.

    Raises:
        SystemExit: As for `one_line_errors`.
    """
    with one_line_errors():
        script = os.path.basename(sys.argv[0])
        _command(main).main(prog_name=script, standalone_mode=False)


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn what a user can mend into one line on stderr, without a traceback.

    Raises:
        SystemExit: With code 2 after a command line that cannot be read; 1 after an InputError, or
            a file that the system does not let this process read or write; 130 after Ctrl-C.
    """
    try:
        yield
        sys.stdout.flush()  # the disk it goes to may be full, which shows here at the latest
    except click.UsageError as error:
        where = f" See {error.ctx.command_path} --help." if error.ctx else ""
        _end(2, f"{error.format_message()}{where}")
    except click.ClickException as error:
        _end(1, error.format_message())
    except InputError as error:
        _end(1, str(error))
    except BrokenPipeError:  # who reads the output has seen enough, as `head` has
        _flush_or_discard()
        raise SystemExit(1) from None
    except OSError as error:
        _flush_or_discard()
        _end(1, _sentence(error))
    except (KeyboardInterrupt, click.Abort):
        _end(INTERRUPTED, "interrupted")


def _end(code: int, message: str) -> None:
    print(f"error: {message}", file=sys.stderr)
    raise SystemExit(code) from None


def _flush_or_discard() -> None:
    """Leave nothing to be written at exit, where Python would fail with code 120."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _sentence(error: OSError) -> str:
    if error.filename is None or error.strerror is None:
        return str(error)
    return f"{os.fsdecode(error.filename)}: {error.strerror}"


def _command(main: Callable[..., None]) -> click.Command:
    """Make a command of a function."""
    types = get_type_hints(main)
    records: dict[str, Any] = {
        name: kind for name, kind in types.items() if dataclasses.is_dataclass(kind)
    }
    params = [
        param
        for name, parameter in inspect.signature(main).parameters.items()
        for param in _params(name, types[name], parameter.kind is parameter.KEYWORD_ONLY)
    ]

    def called(**given: Any) -> None:
        for name, record in records.items():
            fields = [field.name for field in dataclasses.fields(record)]
            given[name] = record(**{field: given.pop(field) for field in fields})
        main(**given)

    return click.Command(None, params=params, callback=called, help=_help(main))


def _params(name: str, kind: Any, is_option: bool) -> list[click.Parameter]:
    if dataclasses.is_dataclass(kind):
        return [_option(field.name, field.type) for field in dataclasses.fields(kind)]
    return [_option(name, kind) if is_option else click.Argument([name], type=kind)]


def _option(name: str, kind: Any) -> click.Option:
    return click.Option([f"--{name.replace('_', '-')}", name], type=kind, required=True)


def _help(main: Callable[..., None]) -> str:
    return str(main.__globals__.get("__doc__") or "")
