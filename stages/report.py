"""Stage `report`: one page about the trained model, for people.

    python stages/report.py PARAMS_YAML DATA_JSON DETAILS_JSON PLOTS CALIBRATED EXPLANATIONS \
        TRAIN_LOGS MODELS TEMPLATE_HTML STYLE_CSS REPORT_HTML

The page needs no other file, and holds tiles: it is as confidential as they are.
"""

import sys
from pathlib import Path

from skinlesion import errors, metadata, params, report, report_formats, report_inputs, split


def main(
    params_yaml: Path,
    data_json: Path,
    details_json: Path,
    plots: Path,
    calibrated: Path,
    explanations: Path,
    train_logs: Path,
    models: Path,
    template_html: Path,
    style_css: Path,
    report_html: Path,
) -> None:
    sources = (params_yaml, data_json, details_json, plots, calibrated, explanations)
    raw = params.load("data", metadata.Params, params_yaml).raw
    expected = params.load("split", split.Params, params_yaml).train_folds
    details = report_formats.load(details_json, report_formats.Details)
    page = report.render(
        report_inputs.Inputs(
            raw=raw,
            params=params_yaml.read_text(encoding="utf-8"),
            data=report_formats.load(data_json, report_formats.Data),
            details=details,
            curves=report_inputs.curves(plots, details.primary),
            importance=report_inputs.importance(explanations),
            gallery=report_inputs.gallery(explanations, calibrated / f"{details.primary}.csv"),
            folds=report_inputs.folds(models, train_logs, expected),
            md5=report_inputs.md5([*sources, train_logs, models]),
        ),
        template=template_html.read_text(encoding="utf-8"),
        style=style_css.read_text(encoding="utf-8"),
    )
    report_html.parent.mkdir(parents=True, exist_ok=True)
    report_html.write_text(page, encoding="utf-8")
    print(f"report: {report_html}, {len(page.encode()) / 1e6:.1f} MB")


if __name__ == "__main__":
    errors.run(main, *map(Path, sys.argv[1:]))
