"""Serve a bundle over HTTP: scores of lesions, and a page for triage.

May import dataset and the ground.
"""
