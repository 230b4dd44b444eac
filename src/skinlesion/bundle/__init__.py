"""What is deployed: networks, table experts and what else scores lesions, as plain files.

May import reporting, scoring, evaluation, boosting, derivation, shift, network, features, dataset and the ground.
"""  # noqa: E501 (the sentence is read by a line)

from skinlesion.bundle.runtime import Bundle, open  # noqa: A004 (as gzip.open)

__all__ = ["Bundle", "open"]
