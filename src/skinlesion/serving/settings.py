"""What a service is told: where it listens, who may ask, and how much it takes on."""

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from skinlesion.dataset import images
from skinlesion.errors import InputError
from skinlesion.params import nearest

__all__ = ["Settings", "limits", "load"]

PREFIX = "SKINLESION_"  # of the variables of the environment
MIB = 1 << 20
LIMITS = (
    "tile_bytes",
    "tile_px",
    "request_px",
    "tiles",
    "body_bytes",
    "held_bytes",
    "seconds",
    "requests",
    "explained",
)
Count = Annotated[int, Field(ge=1)]


class Settings(BaseSettings):
    """Each is an option of the command line, else a variable such as SKINLESION_PORT.

    The token is a variable only: other users of a machine see its command lines.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65_535)  # 0: one that is free
    token: SecretStr | None = Field(None, min_length=16)  # too long to be guessed
    tile_bytes: Count = 1 * MIB  # SLICE-3D's tiles have about 3 KB
    tile_px: int = Field(4_000_000, ge=1, le=images.MAX_PIXELS)  # width times height
    request_px: Count = 600_000_000  # of all tiles; a few bytes may claim as many as any picture
    tiles: Count = 10_000  # of a request; SLICE-3D's largest patient has 9,184 lesions
    body_bytes: Count = 64 * MIB  # of a request
    held_bytes: Count = 256 * MIB  # of all requests at once
    seconds: float = Field(120, gt=0, le=86_400)  # from a request to its answer
    requests: Count = 64  # at once, those that wait included
    explained: Count = 50  # of a patient, the most suspicious lesions, with reasons

    @field_validator("token", mode="before")
    @classmethod
    def _can_be_sent(cls, token: Any) -> Any:
        if not isinstance(token, str):
            return token
        bare = token.strip()  # a secret that is kept in a file often ends in a line end
        if not bare.isascii() or not bare.isprintable() or " " in bare:
            raise ValueError("must be of printable ASCII characters, without spaces")
        return bare

    @property
    def limits(self) -> dict[str, float]:
        """What a client may send, by name."""
        return {name: getattr(self, name) for name in LIMITS if name != "held_bytes"}


def limits(words: Iterable[str]) -> dict[str, str]:
    """Read limits of a command line.

    Args:
        words: Each as NAME=NUMBER.

    Raises:
        InputError: One is written otherwise, or no limit.
    """
    found = dict(word.partition("=")[::2] for word in words)
    for name, number in found.items():
        if name not in LIMITS or not number:
            raise InputError(
                f"--limit must be NAME=NUMBER, with a name of {', '.join(LIMITS)}. "
                f"Got {name!r}.{nearest(name, LIMITS)}"
            )
    return found


def load(given: Mapping[str, Any]) -> Settings:
    """Read the settings of a service.

    Args:
        given: Options of the command line by name; None where an option is not given.

    Raises:
        InputError: A setting is out of range, or others could reach a service without token.
    """
    try:
        settings = Settings(**{name: v for name, v in given.items() if v is not None})
    except ValidationError as error:
        raise InputError("\n".join(map(_sentence, error.errors()))) from None
    if settings.token is None and not _is_loopback(settings.host):
        raise InputError(
            f"{PREFIX}TOKEN must be set where others can reach the service, to 16 characters or "
            f"more. Got none, with host {settings.host}."
        )
    return settings


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _sentence(error: Any) -> str:
    name = str(error["loc"][0])
    must = error["msg"].replace("Input should be", "must be").replace("Value should", "must")
    must = must.removeprefix("Value error, ")
    found = "another" if name == "token" else repr(error["input"])  # a token is never shown
    return f"{name} {must}. Got {found} instead."
