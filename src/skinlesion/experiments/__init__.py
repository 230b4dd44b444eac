"""Queue and compare sweeps; say what a pull request changes.

May import evaluation, dataset and the ground.
"""
