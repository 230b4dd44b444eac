"""errors: what a user can mend is one kind of error, wherever it is raised."""

import importlib
import inspect
import pkgutil

import pytest

import skinlesion
from skinlesion.errors import InputError

# By dataset.hdf5, wherever it may be raised; by serving.service, which answers with it.
CAUGHT = {"HeapError", "RefusalError"}


def modules() -> list[str]:
    return [m.name for m in pkgutil.walk_packages(skinlesion.__path__, "skinlesion.")]


@pytest.mark.usefixtures("keras_started")
def test_every_error_that_the_package_defines_is_an_input_error():
    """Else a command line would show it as a traceback."""
    found = {
        kind
        for name in modules()
        for _, kind in inspect.getmembers(importlib.import_module(name), inspect.isclass)
        if issubclass(kind, Exception) and kind.__module__.startswith("skinlesion.")
    }

    assert len(found) > 1
    assert {kind.__name__ for kind in found if not issubclass(kind, InputError)} == CAUGHT
