"""What a letter says: what is wrong, where, since when, and what to do about it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from ingest.assess.decisions.alerts import NAMES, TYPES

ADVICE = {
    "fire": "Call the fire service (999) unless they are there already, and keep people away.",
    "tilt": "Send somebody to put it upright; until then nobody knows how full it is.",
    "obstruction": "Free the sensor's view at the next visit: a bag, the liner or dirt is in front of it.",
    "silent": "Look at the sensor at the next visit: battery, damage, mobile signal. Meanwhile the bin is served as if "
    "it had none.",
    "stuck": "Look at the sensor at the next visit: clean it, restart it, or change it.",
    "unreliable": "Look at the sensor at the next visit: clean it and see that it sits straight. Meanwhile trust no "
    "level of this bin.",
    "battery": "Change the battery at one of the next visits, before the sensor goes silent.",
    "certificate": "Ask whoever runs Brimwatch for a new one (`devices enrol`); bring it to the sensor before then.",
}
# A longer list is read on the page.
MOST_LINES = 40


@dataclass(frozen=True, slots=True)
class Notice:
    """One alert to be told of.

    Attributes:
        id: of the alert.
        type: one of `TYPES`.
        text: what is wrong, in a sentence.
        since: when it began; aware.
        bin: the bin's reference.
        name: the bin's name.
        location: where it stands in words; may be empty.
        depot: reference of its depot; empty for none.
    """

    id: int
    type: str
    text: str
    since: datetime
    bin: str
    name: str
    location: str
    depot: str

    @property
    def severity(self) -> int:
        """0 for the most severe."""
        return TYPES.index(self.type)


@dataclass(frozen=True, slots=True)
class Letter:
    """Subject and body, plain text."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes letters.

    Attributes:
        zone: the council's, for times.
        public_url: address of the pages; empty for none.
    """

    zone: ZoneInfo
    public_url: str = ""

    def write(self, notices: Sequence[Notice], *, unanswered: bool = False) -> Letter:
        """Write one letter.

        Args:
            notices: the alerts in it, one at least.
            unanswered: they were told of before, and nobody acknowledged them.
        """
        letter = self._about_one(notices[0]) if len(notices) == 1 else self._about_many(notices)
        if not unanswered:
            return letter
        return Letter(f"Nobody acknowledged: {letter.subject}", letter.body)

    def _about_one(self, notice: Notice) -> Letter:
        where = f"{notice.name}, {notice.location}" if notice.location else notice.name
        lines = [
            f"{where} ({notice.bin}): {notice.text}",
            f"Since {self._moment(notice.since)}.",
            f"What to do: {ADVICE[notice.type]}",
            *self._link(f"/bins/{notice.bin}"),
            f"Alert {notice.id}",
        ]
        return Letter(f"{NAMES[notice.type]}: {notice.name} ({notice.bin})", "\n".join(lines))

    def _about_many(self, notices: Sequence[Notice]) -> Letter:
        ordered = sorted(notices, key=lambda notice: (notice.severity, notice.since))
        lines = [
            f"- {NAMES[one.type]}: {one.name} ({one.bin}), since {self._moment(one.since)}. {one.text}"
            for one in ordered[:MOST_LINES]
        ]
        if len(ordered) > MOST_LINES:
            lines.append(f"... and {len(ordered) - MOST_LINES} more.")
        place = f" of {ordered[0].depot}" if ordered[0].depot else ""
        return Letter(f"{len(ordered)} alerts{place}", "\n".join([*lines, *self._link("/alerts")]))

    def _link(self, path: str) -> list[str]:
        return [self.public_url.rstrip("/") + path] if self.public_url else []

    def _moment(self, moment: datetime) -> str:
        local = moment.astimezone(self.zone)
        return f"{local:%a} {local.day} {local:%b %Y, %H:%M}"
