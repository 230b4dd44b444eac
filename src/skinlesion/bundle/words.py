"""The numbers of the table expert in words, as a reader of its reasons wants them."""

from skinlesion.boosting import contributions

__all__ = ["of"]

# CIELAB: L* from black to white, a* from green to red, b* from blue to yellow.
CHANNELS = {"l": "lightness", "a": "redness", "b": "yellowness"}
TABLE = {
    "age_approx": "age, years",
    "sex": "sex",
    "anatom_site_general": "site",
    "clin_size_long_diam_mm": "longest diameter, mm",
    "tbp_lv_A": "redness",
    "tbp_lv_Aext": "redness of the skin around",
    "tbp_lv_B": "yellowness",
    "tbp_lv_Bext": "yellowness of the skin around",
    "tbp_lv_C": "colourfulness",
    "tbp_lv_Cext": "colourfulness of the skin around",
    "tbp_lv_H": "hue, degrees",
    "tbp_lv_Hext": "hue of the skin around, degrees",
    "tbp_lv_L": "lightness",
    "tbp_lv_Lext": "lightness of the skin around",
    "tbp_lv_areaMM2": "area, mm²",
    "tbp_lv_area_perim_ratio": "jaggedness of the outline",
    "tbp_lv_color_std_mean": "variation of colour",
    "tbp_lv_deltaA": "redness against the skin around",
    "tbp_lv_deltaB": "yellowness against the skin around",
    "tbp_lv_deltaL": "lightness against the skin around",
    "tbp_lv_deltaLB": "contrast with the skin around",
    "tbp_lv_deltaLBnorm": "normed contrast with the skin around",
    "tbp_lv_eccentricity": "elongation",
    "tbp_lv_location": "place on the body",
    "tbp_lv_minorAxisMM": "shorter diameter, mm",
    "tbp_lv_nevi_confidence": "likeness to a naevus, %",
    "tbp_lv_norm_border": "irregularity of the border, of 10",
    "tbp_lv_norm_color": "score of the variation of colour, of 10",
    "tbp_lv_perimeterMM": "perimeter, mm",
    "tbp_lv_radial_color_std_max": "largest variation of colour along a ring",
    "tbp_lv_stdL": "variation of lightness",
    "tbp_lv_stdLExt": "variation of lightness in the skin around",
    "tbp_lv_symm_2axis": "asymmetry of the border",
    "tbp_lv_symm_2axis_angle": "angle of the least asymmetry, degrees",
    "tbp_lv_x": "place across the body, mm",
    "tbp_lv_y": "height on the body, mm",
    "tbp_lv_z": "place from front to back, mm",
}
BLOB = {
    "blob_area": "area of the dark blob, share of the tile",
    "blob_eccentricity": "elongation of the dark blob",
    "blob_asymmetry": "asymmetry of the dark blob",
    "blob_border": "jaggedness of the dark blob",
    "blob_contrast": "darkness of the blob against the skin",
    "blob_distance": "distance of the dark blob from the centre",
}
MIDDLE = {
    "middle_mean": "{} of the tile's middle",
    "middle_sd": "variation of {} in the tile's middle",
    "middle_low": "lowest {} in the tile's middle",
    "rim_mean": "{} of the tile's rim",
    "rim_sd": "variation of {} in the tile's rim",
    "difference": "{} of the tile's middle against its rim",
    "difference_by_sd": "{} of the tile's middle against its rim by its variation",
}
OF_A_GROUP = {
    "n_lesions": "number",
    "total_area": "total area, mm²",
    "n_outlying": "how many of its numbers stand out",
    "largest_z": "how far it stands out",
    "sd_of_z": "how unevenly it stands out",
}
WHOLE = TABLE | BLOB | OF_A_GROUP


def of(feature: str) -> str:
    """Say a number, or a category, in words.

    Args:
        feature: As `derivation` names it: a column, a formula, a number of the tile, or one of
            these relative to a group, such as "tbp_lv_A|z|patient".

    Returns:
        Words without underscores; those of a formula are its name's.
    """
    name, bar, relative = feature.partition("|")
    if not bar:
        return _number(name)
    without_unit = _number(name).partition(", ")[0]
    return contributions.named(f"{without_unit}|{relative}")


def _number(name: str) -> str:
    if name in WHOLE:
        return WHOLE[name]
    kind, _, what = name.partition("_")
    if kind == "tile":
        return MIDDLE[what[2:]].format(CHANNELS[what[0]])
    if kind == "blob":
        return f"variation of {CHANNELS[what[0]]} in the dark blob"
    return name.replace("_", " ")
