"""Measure what each input gives to the ranking, and show where the network looks.

May import evaluation, network, features, dataset and the ground.
"""
