"""What is deployed: networks, table experts and what else scores lesions, as plain files.

May import reporting, scoring, evaluation, boosting, derivation, network, features, dataset and the ground.
"""

from skinlesion.bundle.runtime import Bundle, open

__all__ = ["Bundle", "open"]
