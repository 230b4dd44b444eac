"""Logs as one JSON object per line. They hold counts and times, and nothing of a lesion."""

import json
import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

__all__ = ["JsonLines", "event", "start"]

_logger = logging.getLogger(__name__)


class JsonLines(logging.Formatter):
    """Writes a record as JSON. Of an error, it writes the kind and the place.

    Its message may quote a value of a row, so it stays out.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Write a line."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": time, "level": record.levelname.lower(), "event": record.getMessage()}
        line |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[1]:
            line |= _where(record.exc_info[1])
        return json.dumps(line)


def start() -> None:
    """Write all logs of this process as JSON to its output."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # the client is told


def event(
    name: str, fields: Mapping[str, object] | None = None, error: BaseException | None = None
) -> None:
    """Log what happened.

    Args:
        name: Of the event.
        fields: Counts and times.
        error: A defect of ours, whose kind and place are logged.
    """
    level = logging.ERROR if error else logging.INFO
    _logger.log(level, name, exc_info=error, extra={"fields": fields or {}})


def _where(error: BaseException) -> dict[str, str]:
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames]
    return {"error": type(error).__name__, "at": " > ".join(places)}
