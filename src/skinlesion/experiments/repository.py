"""Open the repository of the current folder, with DVC's errors as ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from dvc.exceptions import DvcException
from dvc.repo import Repo
from scmrepo.exceptions import SCMError

from skinlesion.errors import InputError

__all__ = ["opened"]


@contextmanager
def opened() -> Iterator[Repo]:
    """Open the repository for the time of a `with` block.

    Yields:
        The repository.

    Raises:
        InputError: The current folder is in no repository of DVC and git; or DVC or git refuses
            what the block asks of them.
    """
    try:
        with Repo() as repo:
            repo.scm.get_rev()  # fails where there is no git, or no commit yet
            yield repo
    except (DvcException, SCMError) as error:
        raise InputError(str(error)) from None
