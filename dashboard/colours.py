"""The colours of the pages' figures by meaning, in light and dark; `assets/brimwatch.css` has the same for the rest."""

from dataclasses import dataclass

# Levels run through one hue by lightness alone, which colour-blind people see as well; at 0, 25, 50, 75, 100 percent.
# On a light map full is dark, on a dark map full is bright: what matters always stands out from the ground.


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of one theme.

    Attributes:
        levels: from an empty bin to a full one.
        must_go: bins that must be emptied, and what is written on them.
        may_go: bins that may be emptied.
        ring: around due bins.
    """

    ground: str
    paper: str
    text: str
    muted: str
    line: str
    levels: tuple[str, ...]
    unknown: str
    must_go: str
    on_must_go: str
    may_go: str
    on_may_go: str
    ring: str
    chosen: str
    series: str
    emptying: str
    water: str
    park: str
    square: str
    building: str
    road: str
    road_edge: str
    path: str
    label: str
    label_halo: str


LIGHT = Palette(
    ground="#f3f1ec",
    paper="#ffffff",
    text="#1d2733",
    muted="#5a6675",
    line="#dfe3e8",
    levels=("#b9d0cf", "#8fb3b8", "#5f93a3", "#33708a", "#12506b"),
    unknown="#8b8f96",
    must_go="#c2410c",
    on_must_go="#ffffff",
    may_go="#f5a524",
    on_may_go="#2b1a00",
    ring="#3b1404",
    chosen="#1d4ed8",
    series="#12607f",
    emptying="#2f7d4f",
    water="#c3d9e6",
    park="#d5e5c8",
    square="#e7e1d3",
    building="#e3ded5",
    road="#ffffff",
    road_edge="#d5cfc3",
    path="#cfc5b2",
    label="#5b5446",
    label_halo="#f8f6f1",
)
DARK = Palette(
    ground="#171c22",
    paper="#1b222b",
    text="#e8edf3",
    muted="#a3afbd",
    line="#333d4a",
    levels=("#33535c", "#3f7480", "#4f99a5", "#78c0c6", "#b4ebe6"),
    unknown="#7d858f",
    must_go="#ff7a3d",
    on_must_go="#1d0b02",
    may_go="#ffd166",
    on_may_go="#241900",
    ring="#fff4e8",
    chosen="#8ab4ff",
    series="#6cc3d8",
    emptying="#7fd39e",
    water="#12304a",
    park="#1d3327",
    square="#242a31",
    building="#222932",
    road="#37414e",
    road_edge="#11161b",
    path="#2e3742",
    label="#b3bcc8",
    label_halo="#12161b",
)


def palette(theme: str) -> Palette:
    """Give the colours of a theme, `light` or `dark`."""
    return DARK if theme == "dark" else LIGHT
