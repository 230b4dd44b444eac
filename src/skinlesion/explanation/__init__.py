"""Measure what each input gives to the ranking, and show where the network looks.

May import scoring, evaluation, network, features, dataset and the ground.
"""
