"""What is wrong at a bin now: conditions that alerts follow (`alerts.py`). Pure.

Trouble that has a name is not also called unreliable, and a sensor that is silent opens nothing but that it is silent:
one trouble, one alert.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.assess.levels.findings import SHARE_WINDOW, Findings
from ingest.assess.levels.sensor import Sensor, sensor_health

# Heat that was measured longer ago opens nothing: whatever burned has burned.
FIRE_NEWS = timedelta(hours=24)
# A battery opens an alert at or below the first figure and keeps it open up to the second.
BATTERY_LOW_MV, BATTERY_FINE_MV = 3300, 3400
BATTERY_READINGS = 24
BATTERY_LOW_PERCENT, BATTERY_FINE_PERCENT = 15, 20
# Longest time before a certificate ends that somebody is told.
CERTIFICATE_NOTICE = timedelta(days=30)
# Which part of a sensor's newest readings is rejected, the same way.
UNRELIABLE_SHARE, RELIABLE_SHARE = 0.3, 0.15


@dataclass(frozen=True, slots=True)
class Device:
    """What is known of the sensors in a bin beside their readings; of several, the worst.

    Attributes:
        battery_mv: highest voltage of the last `BATTERY_READINGS`, millivolts: in the cold of the night it sags, and
            warms up by day. None for not known.
        battery_percent: charge, 0..100, of sensors that know no voltage.
        certificate_expires_at: aware; None for a sensor without one of ours.
        enrolled_at: when a sensor that was never heard was enrolled; None for any other, or not known.
    """

    battery_mv: int | None = None
    battery_percent: int | None = None
    certificate_expires_at: datetime | None = None
    enrolled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """Something is wrong now.

    Attributes:
        type: one of `alerts.TYPES`.
        since: when it began, as far as is known; aware.
        text: what, in a sentence for a depot manager.
        sure: False for one that keeps an open alert open, but is not enough to open one.
    """

    type: str
    since: datetime
    text: str
    sure: bool = True


def conditions(
    findings: Findings, sensor: Sensor | None, device: Device | None, now: datetime, *, in_service: bool = True
) -> list[Condition]:
    """Say what is wrong at one bin now, at most once for each type.

    Args:
        findings: what its readings say.
        sensor: that sits in it now; None for none, and then nothing is wrong with it.
        device: what else is known of it; None for nothing that matters.
        now: aware.
        in_service: False for a bin that is out of service, of which only a fire matters.
    """
    if sensor is None:
        return []
    heard_at = findings.newest_at
    found = []
    if findings.hot_since is not None and heard_at is not None:
        heat = f"{findings.temperature_c:.0f} °C inside: it may be on fire."
        found.append(Condition("fire", findings.hot_since, heat, sure=now - heard_at <= FIRE_NEWS))
    if not in_service:
        return found
    health = sensor_health(findings, sensor, now)
    if health == "silent":
        found.append(_silence(findings, sensor, device))
    found += _seen(findings, heard=health != "silent")
    if not found:
        found += _unreliable(findings, health, now)
    return found if device is None else [*found, *_device_conditions(device, now)]


def _silence(findings: Findings, sensor: Sensor, device: Device | None) -> Condition:
    heard = [at for at in (findings.newest_at, sensor.last_received_at) if at is not None]
    if heard:
        # Who brings old readings is not silent.
        return Condition("silent", max(heard), "Its sensor does not report any more.")
    # A list of fittings may be older than the sensors' first chance to report.
    enrolled_at = None if device is None else device.enrolled_at
    since = max(sensor.fitted_at, enrolled_at or sensor.fitted_at)
    return Condition("silent", since, "Its sensor has not reported yet.", sure=enrolled_at is not None)


def _seen(findings: Findings, *, heard: bool) -> list[Condition]:
    """Say what the readings show; of a sensor that is silent they open nothing any more."""
    seen = (
        ("tilt", findings.tilted_since, "Lies on its side."),
        ("obstruction", findings.obstructed_since, "Something is in the way of its sensor, which sees that only."),
        ("stuck", findings.stuck_since, "Its sensor measures the very same again and again."),
    )
    return [Condition(type_, since, text, sure=heard) for type_, since, text in seen if since is not None]


def _unreliable(findings: Findings, health: str, now: datetime) -> list[Condition]:
    if health == "rejected":
        since = findings.rejected_since or findings.measured_at or findings.newest_at or now
        why = f" ({findings.rejected_reason})" if findings.rejected_reason else ""
        return [Condition("unreliable", since, f"Nothing that its sensor measures can be believed{why}.")]
    share = findings.rejected_share
    if share < RELIABLE_SHARE or findings.newest_at is None:
        return []
    text = f"{share:.0%} of what its sensor measures cannot be believed."
    return [Condition("unreliable", findings.newest_at - SHARE_WINDOW.item(), text, sure=share >= UNRELIABLE_SHARE)]


def _device_conditions(device: Device, now: datetime) -> list[Condition]:
    found = []
    volts, percent, ends_at = device.battery_mv, device.battery_percent, device.certificate_expires_at
    if volts is not None and volts <= BATTERY_FINE_MV:
        text = f"The battery of its sensor is down to {volts / 1000:.2f} V."
        found.append(Condition("battery", now, text, sure=volts <= BATTERY_LOW_MV))
    elif percent is not None and percent <= BATTERY_FINE_PERCENT:
        text = f"The battery of its sensor is down to {percent}%."
        found.append(Condition("battery", now, text, sure=percent <= BATTERY_LOW_PERCENT))
    if ends_at is not None and ends_at - now <= CERTIFICATE_NOTICE:
        text = f"The certificate of its sensor ends on {ends_at.day} {ends_at:%B %Y}; then nothing of it is received."
        found.append(Condition("certificate", ends_at - CERTIFICATE_NOTICE, text))
    return found
