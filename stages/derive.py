"""Stage `derive`: turn a metadata table, and its tiles, into numbers of each lesion.

Each is of its row, of its tile, or relative to the patient's other lesions in the same table; no
label is read. Writes train.parquet and test.parquet, by the same code, and plan.json, which
says what they hold.
"""

from pathlib import Path

from skinlesion import command, params
from skinlesion.dataset import challenge
from skinlesion.derivation import half, plan


def main(folder: challenge.Files, *, lesions: Path, out: Path) -> None:
    p = params.load("derive", plan.Params)
    halves = half.read(folder, p, lesions=lesions)
    train, test = (each.table for each in halves.values())
    chosen = plan.make(p, train, test, has_tiles=half.have_tiles(halves, p))
    out.mkdir(parents=True, exist_ok=True)
    for name, each in halves.items():
        half.write(out / f"{name}.parquet", each, chosen, p)
    (out / "plan.json").write_text(chosen.model_dump_json(indent=1) + "\n")
    print(f"derive: {plan.summary(chosen)}")


if __name__ == "__main__":
    command.run(main)
