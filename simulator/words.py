"""Invented names for streets, parks and squares of a town that does not exist."""

from collections.abc import Iterator

import numpy as np

FIRST_PARTS = (
    "Alder", "Anvil", "Barley", "Beacon", "Bramble", "Cobble", "Copper", "Corran", "Curlew", "Damson", "Dunlin",
    "Elder", "Fennel", "Ferry", "Fiddler", "Gannet", "Gorse", "Hazel", "Heather", "Heron", "Hollin", "Juniper",
    "Kelp", "Kestrel", "Kiln", "Lantern", "Linnet", "Lobster", "Mackerel", "Mallow", "Marram", "Mercer",
    "Merlin", "Net Loft", "Nettle", "Orchard", "Osprey", "Otter", "Pebble", "Petrel", "Plover", "Quarry",
    "Ropewalk", "Rowan", "Saddler", "Samphire", "Sandpiper", "Slate", "Sorrel", "Tanner", "Tern", "Thistle",
    "Tiller", "Turnstone", "Vetch", "Weaver", "Whelk", "Willow", "Wren", "Yarrow",
)  # fmt: skip
SIDE_STREET_KINDS = ("Street", "Lane", "Terrace", "Row", "Close", "Place")
MAIN_STREET_KINDS = ("Road", "Avenue", "Way")
SUBURBS = ("Ballacorran", "Thornmere", "Highwick", "Easterby", "Skerrow", "Lowfold", "Garthside", "Northway")


def street_names(rng: np.random.Generator) -> Iterator[str]:
    """Give names of side streets, none twice; after all combinations they are numbered."""
    return _combinations(rng, FIRST_PARTS, SIDE_STREET_KINDS)


def main_road_names(rng: np.random.Generator) -> Iterator[str]:
    """Give names of roads that lead out of town, none twice."""
    return _combinations(rng, SUBURBS, MAIN_STREET_KINDS)


def _combinations(rng: np.random.Generator, firsts: tuple[str, ...], kinds: tuple[str, ...]) -> Iterator[str]:
    # The kind goes round as well, so that the first name is used up before it comes back with another kind.
    order = [firsts[index] for index in rng.permutation(len(firsts))]
    offset = int(rng.integers(len(kinds)))
    number = 0
    while True:
        for turn in range(len(kinds)):
            for place, first in enumerate(order):
                name = f"{first} {kinds[(place + turn + offset) % len(kinds)]}"
                yield name if number == 0 else f"{name} {number + 1}"
        number += 1
