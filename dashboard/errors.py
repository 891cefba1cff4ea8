"""What can go wrong for a reason that the reader should learn, each with one sentence."""


class DashboardError(Exception):
    """Raised when a command cannot do what it was asked; the message says why."""


class BadCursorError(ValueError):
    """Raised when a cursor was not made by the list it is given to."""
