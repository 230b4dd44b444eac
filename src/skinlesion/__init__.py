"""Rank skin lesions of 3D total-body photographs by their risk of cancer (ISIC 2024, SLICE-3D).

Each folder is a room, and says what it is for and what it may import. The modules beside this file
are the ground, which every room may import: command, errors, metrics and params.
"""
