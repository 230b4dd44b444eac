"""What a model is for, what not, and its limits: the same words on the page and a model card."""

import numpy as np

from skinlesion.reporting.details import Details

__all__ = ["DRAWN", "INTENDED_USE", "NOTICE", "OUT_OF_SCOPE", "SLICE_3D", "SLICE_3D_DOI", "limits"]

FEW = 50  # cancers, below which each of them moves a figure

NOTICE = (
    "Research software for ranking total-body-photography tiles. Not a medical device, not for "
    "diagnosis or reassurance."
)
INTENDED_USE = (
    "Research into ranking the lesions of 3D total-body photographs by risk of cancer: comparing "
    "methods, inputs and settings on data whose outcome is known."
)
OUT_OF_SCOPE = (
    "Diagnosis, triage, reassurance, or any other decision about a person. Pictures of another "
    "kind, such as dermoscopy or a phone's, unless that is what it was trained on here. "
    "Comparison with clinicians: none was made."
)
DRAWN = (
    "The lesions were drawn by the project, in the layout of SLICE-3D. No person is behind them, "
    "and the names of clinics in them are part of the layout. The figures say that the pipeline "
    "works; they say nothing of dermatology."
)
SLICE_3D = (
    "The full SLICE-3D set of the ISIC 2024 challenge is licensed CC BY-NC 4.0: International Skin "
    "Imaging Collaboration"
)
SLICE_3D_DOI = "10.34970/2024-slice-3d"


def limits(details: Details, *, n_folds: int) -> list[str]:
    """List the limits of a model, and of what is known of it.

    Args:
        details: What stage `evaluate` found.
        n_folds: How many models are averaged.
    """
    shown = details.sets[details.primary]
    said = [*_OF_DATA, *(_HOLDOUT if details.primary == "holdout" else _OUT_OF_FOLD)]
    mean = ""
    if n_folds > 1:
        mean = f", and are used on the mean of {n_folds} models, which is less extreme than one"
    found = [text.format(mean=mean) for text in said]
    if shown.n_positives < FEW:
        moved = np.format_float_positional(
            100 / shown.n_positives, precision=3, trim="-", fractional=False
        )
        found.append(
            f"{shown.n_positives} cancers are few: one found or missed moves the sensitivity by "
            f"{moved}\N{NO-BREAK SPACE}%."
        )
    return found


_OF_DATA = (
    "No external validation: training and evaluation share their clinics, cameras and years. At a "
    "new place it may rank worse, and its probabilities will be wrong where cancers are more or "
    "less common.",
    "In SLICE-3D a cancer is known from a biopsy, while most benign lesions were never biopsied. A "
    "clinician chose what to biopsy, and the model may learn that choice.",
    "It ranks tiles, not patients: 15 mm of skin and a row of measurements, without history, touch "
    "or dermoscopy.",
    "Intervals are about which patients were sampled. They do not cover the chance in training: "
    "another seed gives another model, and other figures.",
)
_HOLDOUT = (
    "Thresholds and probabilities were fitted to out-of-fold scores, each of a single fold's "
    "model{mean}.",
    "No code lets the holdout choose anything. Whoever looks at these figures often, and changes "
    "settings after, makes the choice instead; the holdout then no longer gives a fair figure.",
)
_OUT_OF_FOLD = (
    "There is no holdout. The thresholds were chosen on these lesions, so what they reach is "
    "somewhat too good.",
)
