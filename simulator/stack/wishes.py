"""What whoever starts the demo may choose, from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass

from simulator.stack.errors import StackError


@dataclass(frozen=True, slots=True)
class Wishes:
    """The demo's size and place.

    Attributes:
        bins: how many the town has (DEMO_BINS).
        firmware: how many sensors are real MicroPython (DEMO_FIRMWARE).
        port: of the dashboard (DEMO_PORT); None finds a free one.
        seconds: how long to run once all answers (DEMO_SECONDS); None runs until it is stopped.
    """

    bins: int
    firmware: int
    port: int | None
    seconds: int | None


def read_wishes(environ: Mapping[str, str]) -> Wishes:
    """Read the choices; what is not set or empty has its default.

    Raises:
        StackError: a value cannot be used; one sentence says which and why.
    """
    bins = _number(environ, "DEMO_BINS", 10, 5000) or 500
    firmware = _number(environ, "DEMO_FIRMWARE", 0, 200)
    if firmware is None:
        firmware = min(24, bins // 4)
    if firmware > bins // 2:
        raise StackError(f"DEMO_FIRMWARE is {firmware}, but at most half of the {bins} bins (DEMO_BINS) can run it.")
    return Wishes(bins, firmware, _number(environ, "DEMO_PORT", 1, 65535), _number(environ, "DEMO_SECONDS", 1, 604800))


def _number(environ: Mapping[str, str], name: str, least: int, most: int) -> int | None:
    text = environ.get(name, "").strip()
    if not text:
        return None
    try:
        value = int(text)
    except ValueError:
        raise StackError(f"{name} has to be a whole number from {least} to {most}, not '{text}'.") from None
    if not least <= value <= most:
        raise StackError(f"{name} has to be a whole number from {least} to {most}, not {value}.")
    return value
