"""Check the names of block `data` before dvc.yaml puts them into a command line.

They stand there between double quotes, where a shell still reads some characters: the command that
holds such a name does not start, or without some of its options, and could not say why.
"""

from skinlesion import command, params
from skinlesion.dataset import metadata

__all__ = ["main"]


def main() -> None:
    """Load the block, in the current folder.

    Raises:
        ParamsError: It has a name that a shell would not take as it is, or another mistake.
    """
    params.load("data", metadata.Params)


if __name__ == "__main__":
    command.run(main)
