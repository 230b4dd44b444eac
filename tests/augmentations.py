"""The block `augment` of the tests: every change strong enough to be seen, all switched off."""

from skinlesion.network import augment

STRENGTHS = {
    "horizontal_flip": {},
    "vertical_flip": {},
    "quarter_turn": {},
    "rotation": {"max_degrees": 30.0},
    "zoom": {"max_change": 0.3},
    "brightness": {"max_change": 0.1},
    "contrast": {"max_change": 0.2},
    "saturation": {"max_change": 0.2},
    "hue": {"max_change": 0.1},
    "cutout": {"max_change": 0.5},
    "mixup": {"alpha": 0.5},
}


def augmentation(**rates: float) -> augment.Params:
    """Switch on the changes that are named, each at its rate."""
    return augment.Params(
        **{name: {"rate": rates.get(name, 0.0)} | of for name, of in STRENGTHS.items()}
    )
