"""Draw the default challenge folder: patients, their lesions, the lesions' tiles.

May import dataset and the ground.
"""
