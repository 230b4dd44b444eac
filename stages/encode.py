"""Stage `encode`: turn the tabular features of a fold's lesions into numbers.

The encoder is fitted on the fold's training rows only. Writes encoder.json, and
tabular.parquet: isic_id and one float32 column per encoded feature, for all lesions outside
the holdout.
"""

from pathlib import Path

import pandas as pd

from skinlesion import command, params
from skinlesion.dataset import metadata, partition
from skinlesion.features import tabular


def main(fold: int, folds_csv: Path, out: Path, *, train_metadata: Path) -> None:
    p = params.load("encode", tabular.Params)
    tabular.refuse(p, metadata.header(train_metadata))
    folds = metadata.read(folds_csv)
    lesions = metadata.read(
        train_metadata, columns=["isic_id", *p.numeric, *p.categorical], text=p.categorical
    )
    training = partition.training_rows(folds, validation_fold=fold)["isic_id"]
    encoder = tabular.fit(lesions[lesions["isic_id"].isin(training)], p)

    seen = lesions[lesions["isic_id"].isin(folds.loc[folds["fold"] >= 0, "isic_id"])]
    matrix = pd.DataFrame(tabular.transform(seen, encoder), columns=encoder.names)
    matrix.insert(0, "isic_id", seen["isic_id"].to_numpy())
    out.mkdir(parents=True, exist_ok=True)
    tabular.save(encoder, out / "encoder.json")
    matrix.to_parquet(out / "tabular.parquet", index=False)
    print(f"fold {fold}: {len(encoder.names)} encoded features of {len(matrix):,} lesions")


if __name__ == "__main__":
    command.run(main)
