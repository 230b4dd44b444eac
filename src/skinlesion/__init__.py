"""Rank skin lesions of 3D total-body photographs by their risk of cancer (ISIC 2024, SLICE-3D)."""
