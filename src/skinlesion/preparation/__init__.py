"""Check a challenge folder, split it by patient, resample it; pack tiles into one file.

May import dataset and the ground.
"""
