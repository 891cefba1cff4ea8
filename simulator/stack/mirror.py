"""The Debian mirror this machine already uses, read from its own apt sources (both file formats).

Pure but for reading the files; standard library only. No mirror's address stands in the project.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from simulator.stack.errors import StackError

DEBIAN_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


@dataclass(frozen=True, slots=True)
class Mirror:
    """One place that apt takes packages from.

    Attributes:
        address: as it stands in the sources.
        suites: for example `bookworm`, `bookworm-updates`.
        components: for example `main`.
        signed_by: path of a keyring, or None.
    """

    address: str
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str | None = None

    def source_line(self, suite: str) -> str:
        """Give the line for a sources.list that takes `suite` from this mirror."""
        keyring = self.signed_by or (str(DEBIAN_KEYRING) if DEBIAN_KEYRING.exists() else None)
        option = f"[signed-by={keyring}] " if keyring else ""
        return f"deb {option}{self.address} {suite} main\n"


def find_mirror(apt_folder: Path = Path("/etc/apt")) -> Mirror:
    """Choose the machine's main mirror.

    Raises:
        StackError: apt has no usable source.
    """
    candidates = [mirror for mirror in read_mirrors(apt_folder) if _carries_releases(mirror)]
    if not candidates:
        raise StackError(
            "No Debian mirror found in this machine's apt sources (/etc/apt/sources.list, /etc/apt/sources.list.d); "
            "add one, or use `docker compose up`."
        )
    return candidates[0]


def read_mirrors(apt_folder: Path) -> Iterator[Mirror]:
    """Read every enabled binary source, in apt's order."""
    parts = apt_folder / "sources.list.d"
    for path in [apt_folder / "sources.list", *sorted(parts.glob("*.list"))]:
        yield from _read_lines(_text(path))
    for path in sorted(parts.glob("*.sources")):
        yield from _read_stanzas(_text(path))


def _carries_releases(mirror: Mirror) -> bool:
    # A security or third-party archive is signed or laid out otherwise, and has no other suite.
    plain = [suite for suite in mirror.suites if not re.search(r"[-/]", suite)]
    return bool(plain) and "main" in mirror.components and not mirror.address.startswith("cdrom")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _read_lines(text: str) -> Iterator[Mirror]:
    for line in text.splitlines():
        match = re.match(r"\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)", line)
        if match:
            options, address, suite, components = match.groups()
            signed_by = re.search(r"signed-by=(/\S+)", options or "", re.IGNORECASE)
            yield Mirror(address, (suite,), tuple(components.split()), signed_by[1] if signed_by else None)


def _read_stanzas(text: str) -> Iterator[Mirror]:
    kept = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in re.split(r"\n\s*\n", kept):
        fields = {
            name.lower(): value.split()
            for name, value in re.findall(r"^([\w-]+):((?:.*\n?)(?:^[ \t].*\n?)*)", stanza, re.MULTILINE)
        }
        if "deb" not in fields.get("types", []) or fields.get("enabled") == ["no"]:
            continue
        signed_by = fields.get("signed-by", [""])[0]
        for address in fields.get("uris", []):
            yield Mirror(
                address,
                tuple(fields.get("suites", [])),
                tuple(fields.get("components", [])),
                signed_by if signed_by.startswith("/") else None,  # a key written out in the stanza is not a path
            )
