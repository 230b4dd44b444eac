"""Lay out everything that was measured as one page, for people.

May import evaluation, dataset and the ground.
"""
