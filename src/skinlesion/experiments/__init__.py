"""Queue and compare sweeps; say what a pull request changes.

May import evaluation, preparation, dataset and the ground.
"""
