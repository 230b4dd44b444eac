"""Encoded tiles of one picture."""

import io

import numpy as np
from PIL import Image

PIXELS = np.random.default_rng(0).integers(0, 256, (24, 24, 3), np.uint8)


def encoded(pixels: np.ndarray = PIXELS, mode: str = "RGB", kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, kind, **options)
    return file.getvalue()


JPEG = encoded(kind="JPEG")
KINDS = {"JPEG": JPEG, "PNG": encoded()}
