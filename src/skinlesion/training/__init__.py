"""Fit a network: epochs, checkpoints and resuming, several devices and hosts.

May import network, features, dataset and the ground.
"""
