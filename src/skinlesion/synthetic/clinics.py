"""How drawn clinics differ: their light, how common cancers are, and their cameras.

A model that learns from all clinics may learn these; one that meets a new clinic cannot have. The
differences are fixed numbers, so that with a strength of 0 nothing is drawn otherwise.
"""

import numpy as np
import pandas as pd
from pydantic import Field

from skinlesion.params import Block
from skinlesion.synthetic.population import CLINICS

__all__ = ["NONE", "Params", "applied"]

# By clinic, in the order of CLINICS, in standard deviations: lighting, prevalence, camera.
LIGHTING = (-0.4, 1.2, -1.3, 0.6, 1.6, -1.0, 0.3)
PREVALENCE = (0.9, -0.8, -0.4, 0.3, 1.1, 0.6, -1.2)
CAMERA = (-0.6, 0.5, 1.4, -1.3, 0.9, -0.2, 1.1)
# What one standard deviation is.
LIGHTNESS_STEP, YELLOW_STEP = 4.0, 2.0  # CIELAB, of skin and lesion alike
LOG_ODDS_STEP = 0.7  # of a patient having a malignancy
CONTRAST_STEP = 0.15  # of the log of the lesion's distance from the skin
SIZE_STEP = 0.08  # of the log of every measured length
SOFT_STEP = 0.006  # of the radius of the blur, as a share of the tile's side; the sharpest has none


class Params(Block):
    """Block `synthesize.clinics`: how much clinics differ, in their own standard deviations."""

    lighting: float = Field(ge=0, le=3)
    prevalence: float = Field(ge=0, le=3)
    camera: float = Field(ge=0, le=3)


NONE = Params(lighting=0.0, prevalence=0.0, camera=0.0)


def applied(patients: pd.DataFrame, p: Params) -> pd.DataFrame:
    """Add what each patient's clinic does to their lesions and tiles.

    Args:
        patients: From `population.patients`.
        p: How much clinics differ.

    Returns:
        The patients with skin_l and skin_b as the clinic's light shows them; and clinic_log_odds,
        clinic_contrast, clinic_scale and clinic_softness, which are 0, 1, 1 and 0 where p is 0.
    """
    place = {name: i for i, (*_, name) in enumerate(CLINICS)}
    which = patients["attribution"].map(place).to_numpy()
    light, odds, camera = (np.array(of)[which] for of in (LIGHTING, PREVALENCE, CAMERA))
    lightness = patients["skin_l"] + LIGHTNESS_STEP * p.lighting * light
    return patients.assign(
        skin_l=np.clip(lightness, min(28, patients["skin_l"].min()), 88),
        skin_b=patients["skin_b"] + YELLOW_STEP * p.lighting * light,
        clinic_log_odds=LOG_ODDS_STEP * p.prevalence * odds,
        clinic_contrast=np.exp(CONTRAST_STEP * p.camera * camera),
        clinic_scale=np.exp(SIZE_STEP * p.camera * camera),
        clinic_softness=SOFT_STEP * p.camera * (camera - min(CAMERA)),
    )
