"""Stage `check`: validate a challenge folder before anything is spent on it.

Writes the lesions to learn from (isic_id, patient_id, target) and what the folder holds. All
findings are reported at once, also what a later stage would refuse. A test tile that cannot be
read is a warning: it is scored too.
"""

import json
from functools import partial
from pathlib import Path

from tqdm import tqdm

from skinlesion import command, params
from skinlesion.dataset import challenge, metadata
from skinlesion.evaluation import measurement
from skinlesion.features import tabular
from skinlesion.preparation import check, check_features


def main(folder: challenge.Files, *, lesions: Path, counts: Path) -> None:
    p = params.load("data", metadata.Params)
    bar = partial(tqdm, unit="tile", mininterval=1, maxinterval=30)
    features = params.load("encode", tabular.Params)
    baseline = params.load("evaluate", measurement.Params).baseline
    findings = check.Findings()
    parts = check.read(folder, findings, exclude=p.exclude)
    look = check.Look(known=[i.strip() for i in p.exclude], min_side_px=p.min_side_px, progress=bar)
    sizes = {name: check.inspect(part, findings, look) for name, part in parts.items()}
    wanted = check_features.Wanted(features.numeric, features.categorical, baseline)
    check_features.inspect(parts, wanted, findings)
    findings.require_none()
    found: dict[str, object] = {
        name: check.counts(part.table, sizes[name]) for name, part in parts.items()
    }
    found |= {"n_excluded": len(p.exclude), "warnings": findings.lines("warnings")}
    for out in (counts, lesions):
        out.parent.mkdir(parents=True, exist_ok=True)
    counts.write_text(json.dumps(found, indent=1) + "\n")
    check.lesions(parts["train"]).to_csv(lesions, index=False)
    print(check.summary(parts, findings))


if __name__ == "__main__":
    command.run(main)
