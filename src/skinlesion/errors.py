"""The one error that a user can mend."""

__all__ = ["InputError"]


class InputError(ValueError):
    """A file, a table, a tile or a param is not what it must be.

    Its message is one that a user can act upon: it names the file, the isic_id or the
    key, what was expected and what was found. Any other exception is a defect of ours.
    """
