"""Measure what each input gives to the ranking, and show where the network looks.

May import scoring, evaluation, boosting, derivation, shift, network, features, dataset and the ground.
"""  # noqa: E501

import skinlesion.network  # noqa: F401 (imports Keras, quietly, before any module here does)
