"""What each column gives to the score of a table expert, by its trees' own account (TreeSHAP).

Source:
    Lundberg et al. (2020), https://doi.org/10.1038/s42256-019-0138-9
"""

import numpy as np

from skinlesion.boosting import expert

__all__ = ["named", "of"]

WORDS = {
    "z": "standard deviations from the mean of {}",
    "rank": "rank among {}",
    "position": "place between the smallest and largest of {}",
}
GROUPS = {
    "patient": "the patient's lesions",
    "patient_site": "the patient's lesions at the site",
    "patient_location": "the patient's lesions at the location",
}


def of(e: expert.Expert, values: np.ndarray) -> np.ndarray:
    """Divide the logit of each lesion among the columns, in the models that score it.

    Args:
        e: The expert.
        values: Shape (n_lesions, n_columns), float32, in the order of e.columns.

    Returns:
        The same shape, float64. With a constant of the models they sum to the logit; a column that
        the models do not read gives 0.
    """
    n_alone = e.columns.n_alone
    found = np.zeros(values.shape)
    known = ~np.isnan(values[:, n_alone:]).all(1) & (expert.CONTEXT in e.ensembles)
    for mode, rows, n in (
        (expert.CONTEXT, known, len(e.columns.names)),
        (expert.ALONE, ~known, n_alone),
    ):
        if not rows.any():
            continue
        given = np.ascontiguousarray(values[rows, :n])
        boosters = e.ensembles[mode].boosters
        parts = [np.asarray(b.predict(given, pred_contrib=True)) for b in boosters]
        mean: np.ndarray = np.stack(parts).mean(0)
        found[np.ix_(rows, np.arange(n))] = mean[:, :n]
    return found


def named(number: str) -> str:
    """Say in words what a column of `derive` holds.

    Args:
        number: Its name, such as "tbp_lv_H|z|patient".
    """
    name, *relative = number.split("|")
    if not relative:
        return name
    group = GROUPS[relative[-1]]
    if len(relative) == 1:
        return f"{name} of {group}"
    return f"{name}, {WORDS[relative[0]].format(group)}"
