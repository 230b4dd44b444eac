"""skinlesion.errors: a mistake of the user's is one line, a defect of ours a traceback."""

import pytest

from skinlesion import errors


def test_the_arguments_reach_main(capsys):
    errors.run(lambda *args: print(args), "0", "folds.csv")
    assert capsys.readouterr().out == "('0', 'folds.csv')\n"


def test_an_input_error_ends_the_program_with_code_1_and_its_message_alone(capsys):
    def main():
        raise errors.InputError("a.csv must be a table. It is empty.")

    with pytest.raises(SystemExit) as stopped:
        errors.run(main)

    shown = capsys.readouterr()
    assert stopped.value.code == 1
    assert shown.err == "error: a.csv must be a table. It is empty.\n"
    assert shown.out == ""
    assert stopped.value.__suppress_context__


def test_any_other_exception_is_not_caught():
    def main():
        raise ValueError("a defect")

    with pytest.raises(ValueError, match="a defect") as raised:
        errors.run(main)
    assert not isinstance(raised.value, errors.InputError)
