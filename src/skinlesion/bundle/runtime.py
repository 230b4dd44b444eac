"""Open a bundle, and score lesions with it: nothing that networks are trained with is loaded."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from skinlesion.bundle import combining, looking, manifest, networks, rows, table, unusual
from skinlesion.dataset import images, stores, views
from skinlesion.errors import InputError
from skinlesion.evaluation import calibration, combination
from skinlesion.params import Block, load_json
from skinlesion.scoring import spread
from skinlesion.shift import profile

__all__ = ["Bundle", "Memory", "Settings", "open", "read"]

CARD, SETTINGS = "card.json", "settings.json"
COMBINATION, CALIBRATION = "combination.json", "calibration.json"
NETWORKS, TABLE = "network", "table"

Values = Mapping[int, np.ndarray]  # by fold, from `table.Table.read`


class Settings(Block):
    """How the networks of a bundle score."""

    n_views: views.N
    unreadable_logit: float  # of the networks, where no tile at all can be read


@dataclass(frozen=True)
class Bundle:
    """A bundle that can score."""

    card: dict[str, Any]
    version: str
    checksum: str  # SHA-256 of the manifest
    networks: networks.Networks
    table: table.Table | None
    settings: Settings
    combined: combining.Combined
    profile: profile.Profile | None  # of the training lesions

    @property
    def operating_points(self) -> list[dict[str, Any]]:
        """Thresholds of the probability, with sensitivity and specificity as evaluated."""
        found: list[dict[str, Any]] = self.card["operating_points"]
        return found

    @property
    def columns(self) -> list[dict[str, Any]]:
        """The columns of a row: name, kind, unit, low, high, categories and members."""
        return self.reads.described()

    @cached_property
    def reads(self) -> rows.Columns:
        """The columns of a row that the members read."""
        return rows.of(self.networks, self.table)

    def score(self, table: pd.DataFrame, tiles: Mapping[str, bytes]) -> pd.DataFrame:
        """Score lesions, those of one patient beside each other.

        Args:
            table: isic_id, patient_id and the `columns`, one row per lesion of any number of
                patients. Without patient_id each lesion is scored alone.
            tiles: The encoded tile of each lesion, by isic_id.

        Returns:
            A row per lesion, in the order of the table: isic_id, patient_id, probability, logit
            (of all members combined, before calibration), rank (1 for the patient's most
            suspicious lesion), n_lesions (of the patient), the members' scores `network` and
            `table`, uncertainty (standard deviation of the logit over folds, seeds and views; NaN
            where there is one of each, or the tile cannot be read and networks differ), shift ("",
            or what of the row or the tile lies far outside the training data), and reason ("", or
            why the tile cannot be read).

        Raises:
            InputError: As for `rows.checked`.
        """
        lesions = rows.checked(table, self.reads)
        return combining.finished(self.members(lesions, Memory(tiles)), self.combined)

    def members(
        self, lesions: pd.DataFrame, store: stores.Store, values: Values | None = None
    ) -> pd.DataFrame:
        """Let each member score lesions, which `combining.finished` then combines.

        Args:
            lesions: From `rows.checked`: all lesions of some patients.
            store: Their tiles.
            values: What the table experts read of them, where it is at hand.

        Returns:
            isic_id, patient_id, network and table (mean logits), uncertainty, shift and reason.
        """
        n_views, watched = self.settings.n_views, unusual.watched(self.profile)
        scored = networks.score(self.networks, lesions, store, n_views=n_views, features_of=watched)
        logits = {"network": scored["logit"].to_numpy()}
        spreads = {f"network_{name}": scored[name].to_numpy() for name in spread.COLUMNS}
        if self.table:
            values = self.table.read(lesions, store) if values is None else values
            logits["table"], of_table = self.table.logits(values)
            spreads |= of_table
        marks = unusual.reasons(self.profile, lesions, scored)
        varying = [f"network_{name}" for name in networks.varying(self.networks, n_views)]
        given = combining.Given(logits, spreads, scored["reason"].tolist(), marks, varying)
        return combining.gathered(lesions, given, self.combined)

    def explained(
        self, table: pd.DataFrame, tiles: Mapping[str, bytes], *, n: int
    ) -> tuple[pd.DataFrame, list[list[dict[str, Any]]]]:
        """Score lesions and say what moves the table experts' logit: each tile is measured once.

        Args:
            table: As for `score`.
            tiles: As for `score`.
            n: Of each patient, the most suspicious lesions that are explained: to explain a
                lesion takes about as long as to score it.

        Returns:
            As `score`; and as `reasons`, [] for the other lesions.

        Raises:
            InputError: As for `rows.checked`.
        """
        lesions, store = rows.checked(table, self.reads), Memory(tiles)
        values = self.table.read(lesions, store) if self.table else None
        scores = combining.finished(self.members(lesions, store, values), self.combined)
        reasons: list[list[dict[str, Any]]] = [[] for _ in range(len(lesions))]
        if self.table and values:
            chosen = np.flatnonzero(scores["rank"] <= n)
            some = {fold: v[chosen] for fold, v in values.items()}
            found = self.table.reasons(some, lesions.iloc[chosen])
            for i, of in zip(chosen.tolist(), found, strict=True):
                reasons[i] = [asdict(reason) for reason in of]
        return scores, reasons

    def reasons(
        self, table: pd.DataFrame, tiles: Mapping[str, bytes] | None = None
    ) -> list[list[dict[str, Any]]]:
        """Say what moves the table experts' logit of each lesion, the largest contribution first.

        Args:
            table: As for `score`.
            tiles: As for `score`; without them what is measured on tiles counts as missing.

        Returns:
            Per lesion, in the order of the table: feature, label (in words), value (None where it
            is missing) and contribution (to the log odds). [] each without a table expert.

        Raises:
            InputError: As for `rows.checked`.
        """
        lesions = rows.checked(table, self.reads)
        if not self.table:
            return [[] for _ in range(len(lesions))]
        values = self.table.read(lesions, Memory(tiles or {}))
        return [[asdict(r) for r in of] for of in self.table.reasons(values, lesions)]

    def occlusion(
        self, row: Mapping[str, Any], tile: bytes, *, fraction: float = looking.FRACTION
    ) -> np.ndarray:
        """Hide each patch of a tile, and measure how far the networks' mean logit falls.

        Args:
            row: The `columns` of the lesion, and maybe isic_id, for messages.
            tile: Its encoded tile.
            fraction: Width of a patch, as a share of the tile's; in (0, 1).

        Returns:
            Shape (n_places, n_places), positive where hiding lowers the logit; (0, 0) where no
            network reads tiles.

        Raises:
            InputError: As for `rows.checked`; or the tile cannot be read.
        """
        lesions = rows.checked(pd.DataFrame([{"isic_id": "the tile"} | dict(row)]), self.reads)
        return looking.drops(self.networks, lesions, tile, fraction)


def open(folder: Path) -> Bundle:  # noqa: A001 (as gzip.open and others are called)
    """Open a bundle. Nothing in it is run: it is read as JSON, LightGBM's text and LiteRT.

    Args:
        folder: Written by stage `export`.

    Raises:
        InputError: A file of it is absent, changed, malformed or not in its manifest.
    """
    return read(folder, manifest.checked(folder), _json(folder / CARD))


def read(folder: Path, sealed: manifest.Manifest, card: dict[str, Any]) -> Bundle:
    """Read a bundle whose files were checked, or which is being made.

    Args:
        folder: Of the bundle.
        sealed: Its manifest.
        card: Its card.

    Raises:
        InputError: A file is malformed.
    """
    settings = _settings(folder / SETTINGS)
    combined = combining.Combined(
        combination.load(folder / COMBINATION),
        calibration.load(folder / CALIBRATION),
        settings.unreadable_logit,
    )
    return Bundle(
        card=card,
        version=sealed.version,
        checksum=sealed.checksum,
        networks=networks.load(folder / NETWORKS),
        table=table.load(folder / TABLE),
        settings=settings,
        combined=combined,
        profile=unusual.load(folder),
    )


class Memory:
    """Tiles in memory, as a store."""

    def __init__(self, tiles: Mapping[str, bytes]) -> None:
        self._tiles = tiles

    def ids(self) -> list[str]:
        """List the isic_id of every tile, sorted."""
        return sorted(self._tiles)

    def read(self, isic_id: str) -> bytes:
        """Return the encoded tile of one lesion, or raise ImageError."""
        if isic_id not in self._tiles:
            raise images.ImageError("there is none.")
        return self._tiles[isic_id]


def _json(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"{path} must be the card of a bundle. {error}") from None
    return found


def _settings(path: Path) -> Settings:
    return load_json(path, Settings, "the settings of a bundle")
