"""experiments.clinic_commands: `skinlesion clinics`, in `$( )` of a `dvc exp run`."""

from tests import command_line
from tests.experiments.test_clinic_folds import RAW, lesions  # noqa: F401  # a fixture


def test_the_arguments_are_alone_on_stdout(lesions, capsys):  # noqa: F811
    settings = [word for setting in RAW for word in ("-S", setting)]
    assert command_line.run("clinics", "clinic", *settings) == 0
    shown = capsys.readouterr()

    assert shown.out.count("\n") == 1
    assert shown.out.endswith("-S split.by=clinic -S split.train_folds=[0,1]\n")
    assert "learnt from only (Oslo)" in shown.err


def test_a_column_that_is_absent_is_one_line(lesions, capsys):  # noqa: F811
    assert command_line.run("clinics", "clinik", "-S", "data.raw=mine") == 1
    shown = capsys.readouterr()

    assert shown.out == ""
    assert shown.err.startswith("error: mine/train-metadata.csv must have a column 'clinik'.")
    assert shown.err.count("\n") == 1
