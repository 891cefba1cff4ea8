"""How the write side's processes speak: one line per event, key=value or JSON, without payloads or secrets."""

import logging
import sys

import structlog

from ingest.settings import LogSettings


def configure_log(settings: LogSettings) -> None:
    """Send the process's log lines to standard error, in the form that the settings ask for."""
    # It warns of what follows from an error that it raises as well, in lines of another form.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if settings.log_format == "text":
        renderer = structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], bool_as_flag=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )
