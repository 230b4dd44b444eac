"""Stage `validate`: refuse params that a later stage would refuse, before anything is spent.

All blocks of params.yaml are read at once, also those that are only needed after hours of training;
so is what they need to be installed, or downloaded. Writes the JSON Schema of params.yaml, by which
an editor can check and complete it; it does not depend on the values, so no later stage runs again.
"""

import json
from pathlib import Path

from skinlesion import command, params
from skinlesion.boosting import fitting
from skinlesion.dataset import metadata, partition
from skinlesion.derivation import plan
from skinlesion.evaluation import bootstrap, measurement, stacking
from skinlesion.experiments import pull_request
from skinlesion.explanation import permutation
from skinlesion.features import tabular
from skinlesion.network import augment, backend, pretrained
from skinlesion.network import model as network
from skinlesion.preparation import resample
from skinlesion.scoring import conversion, engine, onnx_file, predict
from skinlesion.synthetic import challenge_folder
from skinlesion.training import schedule, settings


class Params(params.Block):
    """All blocks of params.yaml."""

    data: metadata.Params
    synthesize: challenge_folder.Params
    split: partition.Params
    resample: resample.Params
    derive: plan.Params
    encode: tabular.Params
    keras: backend.Params
    model: network.Params
    augment: augment.Params
    train: schedule.Params
    boost: fitting.Params
    predict: predict.Params
    measure: bootstrap.Params
    calibrate: stacking.Params
    evaluate: measurement.Params
    explain: permutation.Params
    export: conversion.Params
    pull_request: pull_request.Params


def main(schema: Path) -> None:
    p = params.load_whole(Params)
    settings.Settings(p.keras, p.model, p.augment, p.train).require_agreement()
    if p.model.weights != "none":
        pretrained.locate(p.model.weights, p.model.backbone)
    engine.require(p.predict.engine, p.keras.backend, p.keras.precision)
    onnx_file.require(wanted=p.export.onnx)
    schema.parent.mkdir(parents=True, exist_ok=True)
    schema.write_text(json.dumps(Params.model_json_schema(), indent=1) + "\n")
    print(f"validate: {len(Params.model_fields)} blocks of params.yaml")


if __name__ == "__main__":
    command.run(main)
