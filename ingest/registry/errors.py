"""What can go wrong with the registry, in sentences that a depot manager or an IT person understands."""

from ingest.errors import IngestError


class RegistryError(IngestError):
    """Raised when a registry command cannot do what it was asked; its text is one sentence."""
