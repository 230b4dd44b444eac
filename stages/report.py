"""Stage `report`: one page about the trained model, for people.

The page needs no other file, and holds tiles: it is as confidential as they are.
"""

from pathlib import Path

from skinlesion import command, params
from skinlesion.dataset import metadata, partition
from skinlesion.reporting import inputs, layout, models


def main(files: inputs.Files, *, report: Path) -> None:
    raw = params.load("data", metadata.Params, files.params).raw
    expected = params.load("split", partition.Params, files.params).train_folds
    train = params.load("train", models.Train, files.params)
    page = layout.render(inputs.read(files, raw=raw, expected=expected, train=train))
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(page, encoding="utf-8")
    print(f"report: {report}, {len(page.encode()) / 1e6:.1f} MB")


if __name__ == "__main__":
    command.run(main)
