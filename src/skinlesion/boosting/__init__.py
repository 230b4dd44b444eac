"""The table expert: gradient boosting on a lesion's numbers, as models of plain text.

May import derivation, dataset and the ground.
"""
