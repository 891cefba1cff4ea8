"""From several echoes to one distance. Pure."""


def valid_echoes(samples: "list[int | None]", nearest_mm: int, farthest_mm: int) -> "list[int]":
    """Keep the echoes within the sensor's range, sorted.

    Args:
        samples: millimetres; None for an echo that never came.
        nearest_mm: the blind zone's end, itself invalid.
        farthest_mm: the range's end, itself valid.
    """
    return sorted(mm for mm in samples if mm is not None and nearest_mm < mm <= farthest_mm)


def median(ordered: "list[int]") -> "int | None":
    """Take the middle of sorted numbers, of two middle ones the mean rounded down; None of nothing."""
    if not ordered:
        return None
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) // 2


def spread(ordered: "list[int]") -> "int | None":
    """Take the largest less the smallest of sorted numbers; None of nothing."""
    return ordered[-1] - ordered[0] if ordered else None
