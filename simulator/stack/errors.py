"""What can go wrong with the local stack, as sentences for the person who started it."""


class StackError(Exception):
    """Raised when the local stack cannot be set up or started; the message is one sentence to show as it is."""
