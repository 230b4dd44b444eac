"""Stage `export`: write the bundle, all that scores lesions elsewhere, as plain files.

The networks of each fold in the format of LiteRT, the table experts, how they are combined and
calibrated, the model card, and a manifest with the SHA-256 of each file. The bundle scores some
test lesions again; how far that is from the scores of stage `calibrate` stands in the card.
"""

from pathlib import Path

from skinlesion import command, params
from skinlesion.bundle import agreement, card, export, manifest, networks, runtime
from skinlesion.dataset import fold_seed, metadata, partition
from skinlesion.dataset.fold_seed import FoldSeed
from skinlesion.derivation import plan
from skinlesion.network import backend, trained
from skinlesion.scoring import conversion, onnx_file, predict


def main(
    models: Path, fitted: export.Fitted, measured: card.Files, tested: agreement.Files, *, out: Path
) -> None:
    backend.start(backend.Params(backend="tensorflow", precision="float32", seed=0))
    p, raw = params.load("export", conversion.Params), params.load("data", metadata.Params).raw
    derive, predicted = params.load("derive", plan.Params), params.load("predict", predict.Params)
    expected = params.load("split", partition.Params).train_folds
    every = fold_seed.every(expected, params.load("train", fold_seed.Params).n_seeds)
    onnx_file.require(wanted=p.onnx)
    loaded = trained.load_folds(models, expected=every)
    exported = {one: converted(one, m, p) for one, m in loaded.items()}
    settings = runtime.Settings(
        n_views=predicted.n_views, unreadable_logit=export.middle(fitted.calibrated)
    )
    export.write(out, exported, fitted, (derive, settings))
    said = card.make(measured, models, raw=raw, networks=every)
    bundle = runtime.read(out, manifest.of(out), said)
    said["agreement"] = agreement.measured(bundle, tested, fitted.calibrated)
    said |= {"onnx": onnx_apart(bundle, exported, tested), "columns": bundle.columns}
    card.write(out, said)
    print(f"{export.summary(out, manifest.write(out))}; {agreement.said(said['agreement'])}")


def converted(one: FoldSeed, m: trained.Trained, p: conversion.Params) -> export.Network:
    shift = m.facts.prior_shift
    facts = networks.Facts(fold=one.fold, seed=one.seed, prior_shift=shift, image_px=m.image_px)
    network, onnx = conversion.with_features(m.logits), None
    content = conversion.litert(network, float16=p.float16)
    if p.onnx:
        onnx = onnx_file.content(network)
    return export.Network(content, m.encoder, facts, onnx)


def onnx_apart(
    bundle: runtime.Bundle, exported: dict[FoldSeed, export.Network], tested: agreement.Files
) -> dict[str, float]:
    given = agreement.inputs(bundle, tested) if any(e.onnx for e in exported.values()) else {}
    apart = {}
    for one, inputs in given.items():
        n_lesions = len(next(iter(inputs.values())))
        logits = bundle.networks[one].run(inputs, n_lesions)[:, :1]
        content = exported[one].onnx or b""
        apart[one.path.as_posix()] = onnx_file.apart(content, inputs, logits)
    return apart


if __name__ == "__main__":
    command.run(main)
