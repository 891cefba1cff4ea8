"""Who is told of a depot's alerts: a file of the IT team's. The addresses in it are secrets and are never shown."""

import logging
import stat
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from apprise import Apprise
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from ingest.errors import SettingsError

LEVELS = ("first", "second")


@dataclass(frozen=True, slots=True)
class Target:
    """Somebody, or something, that can be told.

    Attributes:
        name: its place in the file, such as `north first 1`: nothing that is derived from a secret.
        url: an address as apprise writes it.
    """

    name: str
    url: SecretStr


class Depot(BaseModel):
    """How one depot is told.

    Attributes:
        first: addresses that are told at once.
        second: addresses that are told what nobody acknowledged.
        budget_per_day: letters about single alerts a day; what is less severe then comes together in one.
        escalate_fire_after_min: minutes after which a fire that nobody acknowledged goes to the second addresses.
        escalate_after_h: hours after which anything else does.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    first: tuple[SecretStr, ...] = ()
    second: tuple[SecretStr, ...] = ()
    budget_per_day: int = Field(default=10, ge=0)
    escalate_fire_after_min: float = Field(default=15, ge=0, le=10_000)
    escalate_after_h: float = Field(default=24, ge=0, le=10_000)

    def patience(self, type_: str) -> timedelta:
        """Say how long an alert of a type may wait for somebody to acknowledge it."""
        if type_ == "fire":
            return timedelta(minutes=self.escalate_fire_after_min)
        return timedelta(hours=self.escalate_after_h)


class Directory(BaseModel):
    """The whole file.

    Attributes:
        default: for every depot that has no part of its own, and for bins without a depot.
        depots: by reference.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    default: Depot = Depot()
    depots: dict[str, Depot] = {}

    def depot(self, ref: str) -> Depot:
        """Say how a depot is told; an empty reference is that of bins without a depot."""
        return self.depots.get(ref, self.default)

    def targets(self, ref: str, level: str) -> list[Target]:
        """List who is told of a depot's alerts.

        Args:
            ref: of the depot.
            level: one of `LEVELS`.
        """
        # No reference of a depot looks like this.
        name = ref if ref in self.depots else "(default)"
        depot = self.depot(ref)
        urls = depot.first if level == "first" else depot.second
        return [Target(f"{name} {level} {place}", url) for place, url in enumerate(urls, 1)]

    def all_targets(self) -> Iterator[Target]:
        """Give every target of the file."""
        for ref in ("", *self.depots):
            for level in LEVELS:
                yield from self.targets(ref, level)


def read_targets(path: Path | None) -> Directory:
    """Read the file; without one nobody is told.

    Raises:
        SettingsError: others may read it, or it is not usable; says where, never what.
    """
    # Apprise's own words may hold addresses.
    logger = logging.getLogger("apprise")
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    if path is None:
        return Directory()
    try:
        if path.stat().st_mode & stat.S_IRWXO:
            raise SettingsError(f"{path} holds secrets, and everybody may read it: `chmod o= {path}` first.")
        directory = Directory.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return Directory()
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not TOML: {error}.") from None
    except ValidationError as error:
        raise SettingsError("\n".join(f"{path}: {_sentence(fault)}." for fault in error.errors())) from None
    for target in directory.all_targets():
        if Apprise.instantiate(target.url.get_secret_value()) is None:
            raise SettingsError(f"{path}: {target.name} is no address that apprise knows.")
    return directory


def _sentence(fault: Any) -> str:  # noqa: ANN401 - pydantic's own kind of fault
    # Never the value: it may be a secret.
    place = ".".join(str(part) for part in fault["loc"])
    return f"{place}: {fault['msg'][:1].lower()}{fault['msg'][1:]}"
