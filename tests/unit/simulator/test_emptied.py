import numpy as np

from simulator.evaluate.emptied import Finds, find, score, sight
from simulator.world import make_world

BINS = 40
WORLD = make_world(BINS, 2, 101)


def test_score_clean_town_finds_all_and_nothing_else() -> None:
    found = score(find(WORLD.telemetry, BINS), sight(WORLD))

    assert found.precision == 1
    assert found.recall == 1


def test_score_an_emptying_that_was_not_is_a_ghost() -> None:
    finds = find(WORLD.telemetry, BINS)
    place, begin, end = finds.bin[0], finds.emptied_s[0] + 3 * 3600, finds.emptied_s[0] + 4 * 3600
    more = Finds(np.append(finds.bin, place), np.append(finds.not_before_s, begin), np.append(finds.emptied_s, end))

    found = score(more, sight(WORLD))

    assert len(found.ghosts) == 1
    assert found.precision < 1
    assert found.recall == 1


def test_score_an_emptying_that_was_not_found_is_missed() -> None:
    seen, finds = sight(WORLD), find(WORLD.telemetry, BINS)
    fewer = Finds(finds.bin[BINS:], finds.not_before_s[BINS:], finds.emptied_s[BINS:])

    found = score(fewer, seen)

    assert found.recall < 1
    assert len(found.missed) + found.recalled == seen.seen.sum()


def test_score_the_right_emptying_at_the_wrong_time_is_neither() -> None:
    finds = find(WORLD.telemetry, BINS)
    late = Finds(finds.bin, finds.not_before_s + 5 * 3600, finds.emptied_s + 5 * 3600)

    found = score(late, sight(WORLD))

    assert found.precision < 0.2
    assert found.recall < 0.2
