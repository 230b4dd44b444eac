"""Read a challenge folder: its metadata, its tiles, and both as batches of lesions.

May import the ground.
"""
