"""Stage `encode`: turn the tabular features of a fold's lesions into numbers.

The encoder is fitted on the fold's training rows only. Writes encoder.json, and
tabular.parquet: isic_id and one float32 column per encoded feature, for all lesions outside
the holdout; and auxiliary.parquet: what only training lesions know, for `train.auxiliary`.
"""

from pathlib import Path

import pandas as pd

from skinlesion import command, params
from skinlesion.dataset import metadata, partition
from skinlesion.features import auxiliary, tabular


def main(fold: int, folds_csv: Path, out: Path, *, train_metadata: Path) -> None:
    p, header = params.load("encode", tabular.Params), metadata.header(train_metadata)
    tabular.refuse(p, header)
    folds = metadata.read(folds_csv)
    used = {"isic_id", *p.numeric, *p.categorical, *auxiliary.columns(header)}
    lesions = metadata.read(train_metadata, columns=sorted(used), text=p.categorical)
    training = partition.training_rows(folds, validation_fold=fold)["isic_id"]
    encoder = tabular.fit(lesions[lesions["isic_id"].isin(training)], p)

    seen = lesions[lesions["isic_id"].isin(folds.loc[folds["fold"] >= 0, "isic_id"])]
    matrix = pd.DataFrame(tabular.transform(seen, encoder), columns=encoder.names)
    matrix.insert(0, "isic_id", seen["isic_id"].to_numpy())
    out.mkdir(parents=True, exist_ok=True)
    tabular.save(encoder, out / "encoder.json")
    matrix.to_parquet(out / "tabular.parquet", index=False)
    targets = auxiliary.table(seen, seen["isic_id"].isin(training).to_numpy())
    targets.to_parquet(out / "auxiliary.parquet", index=False)
    print(f"fold {fold}: {len(encoder.names)} encoded features of {len(matrix):,} lesions")


if __name__ == "__main__":
    command.run(main)
