"""Settings of the notifier."""

from pathlib import Path

from ingest.assess.store.settings import AssessSettings


class NotifySettings(AssessSettings):
    """What `notify` needs.

    Attributes:
        targets: file that says who is told (docs/operations.md); None, or one that is not there, for nobody.
        public_url: address of the dashboard's pages, for links in letters; empty for none.
    """

    targets: Path | None = None
    public_url: str = ""
