"""Measure scores: ranking, intervals, calibration, operating points, subgroups, comparison.

May import dataset and the ground.
"""
