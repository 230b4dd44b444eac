"""quiet: what compiled libraries write on stderr is dropped for a while, and no longer."""

import os

import pytest

from skinlesion.quiet import quiet


def test_what_is_written_past_python_is_dropped_within_it_alone(capfd):
    os.write(2, b"before ")
    with quiet():
        os.write(2, b"within ")
    os.write(2, b"after")

    assert capfd.readouterr().err == "before after"


def test_stderr_comes_back_after_an_error(capfd):
    with pytest.raises(ValueError, match="ours"), quiet():
        raise ValueError("ours")
    os.write(2, b"after")

    assert capfd.readouterr().err == "after"


def test_no_file_descriptor_is_left_open():
    before = len(os.listdir("/proc/self/fd"))
    with quiet():
        pass
    assert len(os.listdir("/proc/self/fd")) == before
