"""Turn a metadata table into the numbers that models read, fitted on training rows only.

May import dataset and the ground.
"""
