"""What is deployed: networks, table experts and what else scores lesions, as plain files.

May import reporting, scoring, evaluation, boosting, derivation, shift, network, features, dataset and the ground.
"""  # noqa: E501 (the sentence is read by a line)
