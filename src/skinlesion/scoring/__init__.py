"""Score any number of lesions with trained models, in bounded memory.

May import boosting, derivation, shift, network, features, dataset and the ground.
"""
