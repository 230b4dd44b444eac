"""Stage `export`: write the bundle, all that scores lesions elsewhere, as plain files.

Each fold's network in the format of LiteRT, the table experts, how they are combined and
calibrated, the model card, and a manifest with the SHA-256 of each file. The bundle scores some
test lesions again; how far that is from the scores of stage `calibrate` stands in the card.
"""

from pathlib import Path

from skinlesion import command, params
from skinlesion.bundle import agreement, card, export, manifest, networks, runtime
from skinlesion.dataset import metadata, partition
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
    onnx_file.require(wanted=p.onnx)
    by_fold = trained.load_folds(models, expected=expected)
    exported = {fold: converted(fold, m, p) for fold, m in by_fold.items()}
    settings = runtime.Settings(
        n_views=predicted.n_views, unreadable_logit=export.middle(fitted.calibrated)
    )
    export.write(out, exported, fitted, (derive, settings))
    said = card.make(measured, models, raw=raw, folds=expected)
    bundle = runtime.read(out, manifest.of(out), said)
    said["agreement"] = agreement.measured(bundle, tested, fitted.calibrated)
    said |= {"onnx": onnx_apart(bundle, exported, tested), "columns": bundle.columns}
    card.write(out, said)
    print(f"{export.summary(out, manifest.write(out))}; {agreement.said(said['agreement'])}")


def converted(fold: int, m: trained.Trained, p: conversion.Params) -> export.Network:
    px = m.architecture.model.image_px if "image" in m.logits.input else 0
    facts = networks.Facts(fold=fold, prior_shift=m.facts.prior_shift, image_px=px)
    network, onnx = conversion.with_features(m.logits), None
    content = conversion.litert(network, float16=p.float16)
    if p.onnx:
        onnx = onnx_file.content(network, list(networks.outputs(facts)))
    return export.Network(content, m.encoder, facts, onnx)


def onnx_apart(
    bundle: runtime.Bundle, exported: dict[int, export.Network], tested: agreement.Files
) -> dict[str, float]:
    given = agreement.inputs(bundle, tested) if any(e.onnx for e in exported.values()) else {}
    logits = {
        m.facts.fold: m.network.run(given[m.facts.fold])["logit"] for m in bundle.networks if given
    }
    return {
        f"fold-{fold}": onnx_file.apart(exported[fold].onnx or b"", inputs, logits[fold])
        for fold, inputs in given.items()
    }


if __name__ == "__main__":
    command.run(main)
