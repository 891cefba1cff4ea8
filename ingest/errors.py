"""What can go wrong in the write side, in sentences that a depot manager or an IT person understands."""


class IngestError(Exception):
    """Raised when a command cannot go on; its text is one sentence for the person who started it."""


class SettingsError(IngestError):
    """Raised when settings are missing or wrong; its text has one sentence for each."""


class MigrationError(IngestError):
    """Raised when the database cannot be brought to the schema that this version needs."""


class DatabaseLostError(IngestError):
    """Raised when the database does not answer, or stopped answering; trying again may help."""


class BrokerLostError(IngestError):
    """Raised when the broker does not answer, or ended the connection; trying again may help."""


class SessionTakenError(BrokerLostError):
    """Raised when another program connected under our client id, and the broker ended our connection for it."""
