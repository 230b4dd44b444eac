"""Stage `check`: validate a challenge folder before anything is spent on it.

    python stages/check.py TRAIN_METADATA_CSV TRAIN_IMAGES TEST_METADATA_CSV TEST_IMAGES \
        LESIONS_CSV DATA_JSON

Writes the lesions to learn from (isic_id, patient_id, target) and what the folder holds. All
findings are reported at once. A test tile that cannot be read is a warning: it is scored too.
"""

import json
import sys
from functools import partial
from pathlib import Path

from tqdm import tqdm

from skinlesion import check, errors, metadata, params, stores


def main(
    train_metadata_csv: Path,
    train_images: Path,
    test_metadata_csv: Path,
    test_images: Path,
    lesions_csv: Path,
    data_json: Path,
) -> None:
    p = params.load("data", metadata.Params)
    bar = partial(tqdm, unit="tile", mininterval=1, maxinterval=30)
    findings = check.Findings()
    train = check.exclude(metadata.read(train_metadata_csv), p.exclude, findings)
    parts = {
        "train": check.Part(
            train,
            train_metadata_csv.name,
            stores.open_store(train_images),
            train_images.name,
            training=True,
        ),
        "test": check.Part(
            metadata.read(test_metadata_csv),
            test_metadata_csv.name,
            stores.open_store(test_images),
            test_images.name,
            training=False,
        ),
    }
    sizes = {
        name: check.inspect(part, findings, known=p.exclude, progress=bar)
        for name, part in parts.items()
    }
    findings.require_none()

    found: dict[str, object] = {
        name: check.counts(part.table, sizes[name]) for name, part in parts.items()
    }
    found |= {"n_excluded": len(p.exclude), "warnings": findings.lines("warnings")}
    for out in (data_json, lesions_csv):
        out.parent.mkdir(parents=True, exist_ok=True)
    data_json.write_text(json.dumps(found, indent=1) + "\n")
    train[list(metadata.REQUIRED)].to_csv(lesions_csv, index=False)
    print("".join(f"warning: {line}\n" for line in findings.lines("warnings")), end="")
    print(
        f"check: {len(train):,} lesions of {train['patient_id'].nunique():,} patients, "
        f"{train['target'].sum():,} positives; {len(parts['test'].table):,} to score"
    )


if __name__ == "__main__":
    errors.run(main, *map(Path, sys.argv[1:]))
