"""One tile of a drawn lesion: skin, pigment, hairs and light, as a JPEG.

Painted with Pillow's integer arithmetic, and with no more than `+ - * /` on arrays of pixels:
exp, sin or a matrix product round differently from one processor to the next, and a single
pixel that differs is another file to DVC.
"""

import io
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageChops, ImageDraw, ImageFilter

__all__ = ["SIDES_PX", "Look", "jpeg"]

SIDES_PX = (61, 239)  # smallest and largest tile of SLICE-3D
MEDIAN_PX = 131
# Blotches of melanoma, as CIELAB steps from the tone of the lesion: black, blue-grey, red, pale.
BLOTCHES = np.array([(-18, -4, -10), (-3, -8, -19), (4, 13, 0), (16, -3, -3)])
FLUSH = np.array((-3, 6, 1))  # CIELAB step from pale skin to skin full of blood
ANGLES = np.linspace(0, 2 * np.pi, 120, endpoint=False)  # of the points of an outline
ORDERS = np.arange(1, 24)[:, None]  # of the harmonics of an outline
COSINES, SINES = np.cos(ORDERS * ANGLES), np.sin(ORDERS * ANGLES)  # (23, 120)
LOBES = np.where(ORDERS < 4, 0.74 / np.sqrt(ORDERS), 0)  # (23, 1); squares add up to 1, and below
TEETH = np.where(ORDERS > 5, 0.83 / np.sqrt(ORDERS), 0)
# Rows give linear red, green, blue from X, Y, Z under D65 (IEC 61966-2-1).
XYZ_TO_RGB = ((3.2406, -1.5372, -0.4986), (-0.9689, 1.8758, 0.0415), (0.0557, -0.2040, 1.0570))
WHITE_POINT = (0.9505, 1.0, 1.089)


class Look(NamedTuple):
    """What one tile shows.

    The three signs of malignancy are in (0, 1): 0 is round, smooth and of one tone, 1 is
    lopsided, ragged and of many tones.
    """

    number: int  # the digits of the isic_id; with the seed it decides all that is left to chance
    skin_l: float  # CIELAB
    skin_a: float
    skin_b: float
    lesion_l: float
    lesion_a: float
    lesion_b: float
    axis_ratio: float  # shorter by longer axis, in (0, 1]
    asymmetry: float
    raggedness: float
    variegation: float
    hairs: float  # expected number of hairs
    freckles: float  # expected number of other spots
    white_light: bool  # tbp_tile_type "3D: white"; otherwise "3D: XP"
    softness: float = 0.0  # of the camera: radius of its blur, as a share of the tile's side

    @property
    def skin(self) -> np.ndarray:
        """CIELAB tone of the skin, shape (3,)."""
        return np.array((self.skin_l, self.skin_a, self.skin_b))

    @property
    def lesion(self) -> np.ndarray:
        """CIELAB tone of the lesion, shape (3,)."""
        return np.array((self.lesion_l, self.lesion_a, self.lesion_b))


def jpeg(look: Look, *, seed: int) -> bytes:
    """Draw one lesion.

    The lesion spans about 30 to 70 % of the tile whatever its size in mm, so the picture does
    not repeat what the table says.

    Args:
        look: What to draw.
        seed: Non-negative; the bytes are a function of it and `look` alone.

    Returns:
        A square colour JPEG with a side of 61 to 239 px, median 131 px.
    """
    rng = np.random.default_rng([seed, look.number])
    side = int(np.clip(rng.normal(MEDIAN_PX, 17) + 30 * rng.exponential() - 21, *SIDES_PX))
    tile = Image.new("RGB", (side, side), _rgb(look.skin))
    flush = _mottle(rng, (side, side), cells=9, alpha=90)
    tile.paste(_rgb(look.skin + FLUSH), mask=flush)
    _freckles(tile, look, rng)
    _lesion(tile, look, rng)
    _hairs(tile, look, rng)
    pixels = np.asarray(tile, dtype=np.float32) * _shade(side, look, rng)[:, :, None]
    buffer = io.BytesIO()
    seen = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    if look.softness:
        seen = seen.filter(ImageFilter.BoxBlur(float(look.softness) * side))
    # 75 is the quality of SLICE-3D's own tiles.
    seen.save(buffer, "JPEG", quality=75)
    return buffer.getvalue()


# === Paint ===


def _freckles(tile: Image.Image, look: Look, rng: Generator) -> None:
    for _ in range(rng.poisson(look.freckles)):
        radius = tile.width * rng.uniform(0.012, 0.045)
        spot = _ring(rng, radius=radius, axis_ratio=rng.uniform(0.6, 1), lobes=0.15, teeth=0.05)
        tone = look.skin + rng.uniform(0.2, 0.7) * (look.lesion - look.skin)
        patch = _patch(spot + rng.uniform(0, 1, 2) * tile.width, soft=radius / 2)
        tile.paste(_rgb(tone), patch.corner, patch.mask)


def _lesion(tile: Image.Image, look: Look, rng: Generator) -> None:
    radius = tile.width * rng.uniform(0.16, 0.30)
    centre = tile.width * (0.5 + rng.uniform(-0.05, 0.05, 2))
    lobes, teeth = 0.04 + 0.26 * look.asymmetry, 0.015 + 0.13 * look.raggedness
    ring = _ring(rng, radius=radius, axis_ratio=look.axis_ratio, lobes=lobes, teeth=teeth)
    body = _patch(centre + ring, soft=radius * rng.uniform(0.05, 0.2))
    tile.paste(_rgb(look.lesion), body.corner, body.mask)
    # A darker middle is common in harmless nevi; off the centre it is a sign.
    aside = look.asymmetry * rng.uniform(0.2, 0.5) * radius * _direction(rng)
    core = _within(_patch(centre + aside + 0.55 * ring, soft=radius / 3), body)
    tile.paste(_rgb(look.lesion - (rng.uniform(0, 9), 0, 0)), core.corner, core.mask)
    n_tones = int(np.ceil(len(BLOTCHES) * look.variegation))
    for step in rng.permutation(BLOTCHES)[:n_tones]:
        _blotch(tile, body, step, look, rng)
    grain = _mottle(rng, body.mask.size, cells=int(rng.integers(5, 14)), alpha=110)
    dark = look.lesion - (9, 0, 3)
    tile.paste(_rgb(dark), body.corner, ImageChops.multiply(grain, body.mask))


def _blotch(
    tile: Image.Image, body: "_Patch", step: np.ndarray, look: Look, rng: Generator
) -> None:
    reach = np.array(body.mask.size) / 2
    radius = (0.15 + 0.25 * look.variegation) * reach.mean()
    ring = _ring(rng, radius=radius, axis_ratio=0.7, lobes=0.3, teeth=0.15)
    place = np.array(body.corner) + reach * (1 + rng.uniform(-0.6, 0.6, 2))
    patch = _within(_patch(place + ring, soft=radius * rng.uniform(0.1, 0.4)), body)
    tone = look.lesion + (0.1 + 1.0 * look.variegation) * step
    tile.paste(_rgb(tone), patch.corner, patch.mask)


def _hairs(tile: Image.Image, look: Look, rng: Generator) -> None:
    n_hairs = rng.poisson(look.hairs)
    if not n_hairs:
        return
    mask = Image.new("L", (2 * tile.width, 2 * tile.width))
    pen = ImageDraw.Draw(mask)
    along = np.linspace(0, 1, 7)[:, None]
    comb = _direction(rng)  # hairs of one spot of skin lie roughly the same way
    for _ in range(n_hairs):
        root = rng.uniform(0, mask.width, 2)
        tip = mask.width * (rng.uniform(0.2, 0.7) * comb + rng.normal(0, 0.15, 2))
        curl = rng.normal(0, 0.12, 2) * mask.width
        line = root + along * tip + along * (1 - along) * 2 * curl
        pen.line([tuple(point) for point in line.tolist()], fill=190, width=int(rng.integers(1, 3)))
    tile.paste(_rgb((24, 4, 8)), mask=mask.reduce(2))


def _shade(side: int, look: Look, rng: Generator) -> np.ndarray:
    # (side, side): the factor by which light and the relief of the skin change each pixel.
    across = np.linspace(-0.5, 0.5, side, dtype=np.float32)
    slope = _direction(rng) * rng.uniform(0, 0.10 if look.white_light else 0.35)
    shade = 1 + np.float32(slope[0]) * across + np.float32(slope[1]) * across[:, None]
    if not look.white_light:  # cross-polarised light falls off towards the edges
        shade -= np.float32(0.25) * (across * across + (across * across)[:, None])
    coarse, fine = (int(rng.integers(side // k, side // 3 + 9)) for k in (7, 3))
    lines = (coarse, fine) if rng.random() < 0.5 else (fine, coarse)
    shade += _noise(rng, side, (7, 7), spread=0.035)
    shade += _noise(rng, side, lines, spread=rng.uniform(0.015, 0.055))
    shade += _noise(rng, side, (3 * side // 4, 3 * side // 4), spread=rng.uniform(0.01, 0.035))
    return shade


# === Shapes ===


class _Patch(NamedTuple):
    mask: Image.Image  # opacity 0...255 of a shape, no larger than the shape needs
    corner: tuple[int, int]  # where its left upper corner lies on the tile


def _ring(
    rng: Generator, *, radius: float, axis_ratio: float, lobes: float, teeth: float
) -> np.ndarray:
    # (120, 2): an ellipse around 0, bent by low harmonics (lobes) and nicked by high ones (teeth).
    cosine, sine = rng.standard_normal((2, *ORDERS.shape)) * (lobes * LOBES + teeth * TEETH)
    bent = 1 + (cosine * COSINES + sine * SINES).sum(axis=0)
    reach = radius * np.minimum(np.maximum(bent, 0.3), 1.5)
    (c, s), flat = _direction(rng), axis_ratio**0.5
    x, y = reach * COSINES[0] / flat, reach * SINES[0] * flat
    return np.stack([c * x - s * y, s * x + c * y], axis=1)


def _patch(ring: np.ndarray, *, soft: float) -> _Patch:
    corner = np.floor(ring.min(axis=0) - soft - 1).astype(int)
    width, height = np.ceil(ring.max(axis=0) + soft + 1).astype(int) - corner
    # Drawn at twice the size: Pillow does not smooth the edge of a polygon.
    mask = Image.new("L", (2 * width, 2 * height))
    points = (2 * (ring - corner)).ravel().tolist()
    ImageDraw.Draw(mask).polygon(points, fill=255)
    blur = ImageFilter.BoxBlur(float(soft))
    return _Patch(mask.reduce(2).filter(blur), (int(corner[0]), int(corner[1])))


def _within(patch: _Patch, body: _Patch) -> _Patch:
    left, top = patch.corner[0] - body.corner[0], patch.corner[1] - body.corner[1]
    there = body.mask.crop((left, top, left + patch.mask.width, top + patch.mask.height))
    return _Patch(ImageChops.multiply(patch.mask, there), patch.corner)


def _mottle(rng: Generator, size: tuple[int, int], *, cells: int, alpha: int) -> Image.Image:
    grid = rng.integers(0, alpha, (cells, cells), dtype=np.uint8)
    return Image.fromarray(grid).resize(size, Image.Resampling.BICUBIC)


def _noise(rng: Generator, side: int, shape: tuple[int, int], *, spread: float) -> np.ndarray:
    # (side, side): smooth random hills, as many as `shape` has cells.
    grid = rng.standard_normal(shape, dtype=np.float32) * np.float32(spread)
    return np.asarray(Image.fromarray(grid).resize((side, side), Image.Resampling.BICUBIC))


def _direction(rng: Generator) -> np.ndarray:
    angle = rng.uniform(0, 2 * np.pi)
    return np.array((np.cos(angle), np.sin(angle)))


# === Colour ===


def _rgb(lab: np.ndarray | tuple[float, ...]) -> tuple[int, ...]:
    # CIELAB (D65) to sRGB, 0...255. In plain floats: on three numbers NumPy is ten times slower.
    lightness, a, b = (float(value) for value in lab)
    middle = (lightness + 16) / 116
    x, y, z = (
        white * _linear(root)
        for white, root in zip(
            WHITE_POINT, (middle + a / 500, middle, middle - b / 200), strict=True
        )
    )
    return tuple(_curved(red * x + green * y + blue * z) for red, green, blue in XYZ_TO_RGB)


def _linear(root: float) -> float:
    return root**3 if root > 6 / 29 else 3 * (6 / 29) ** 2 * (root - 4 / 29)


def _curved(light: float) -> int:
    light = min(max(light, 0.0), 1.0)
    return round(255 * (1.055 * light ** (1 / 2.4) - 0.055 if light > 0.0031308 else 12.92 * light))
