"""Compare lesions with those that a model was trained on; mark those far from them.

May import dataset and the ground.
"""
