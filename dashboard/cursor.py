"""Where a list goes on: opaque to whoever uses the API, and refused when it is not one of ours."""

import base64
import binascii
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from dashboard.errors import BadCursorError

LONGEST = 400
LARGEST = 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def encode(kind: str, *keys: str | int | datetime) -> str:
    """Make a cursor from the sort keys of a page's last item.

    Args:
        kind: the list's name.
        keys: in the order of the list's sorting.
    """
    plain = [_microseconds(key) if isinstance(key, datetime) else key for key in keys]
    return base64.urlsafe_b64encode(orjson.dumps([kind, *plain])).rstrip(b"=").decode()


def decode(cursor: str, kind: str, *types: type[str | int | datetime]) -> list[Any]:
    """Take a cursor apart.

    Args:
        cursor: as `encode` made it.
        kind: the list it is given to.
        types: of its keys.

    Raises:
        BadCursorError: it was not made by this list.
    """
    try:
        found, *keys = _parse(cursor)
        if found != kind or len(keys) != len(types):
            raise BadCursorError(cursor)
        return [_check(key, wanted) for key, wanted in zip(keys, types, strict=True)]
    except (ValueError, TypeError, OverflowError, binascii.Error) as error:
        raise BadCursorError("cursor is not one that this list gave") from error


def _parse(cursor: str) -> list[Any]:
    if len(cursor) > LONGEST:
        raise BadCursorError(cursor)
    padded = cursor + "=" * (-len(cursor) % 4)
    parts = orjson.loads(base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True))
    if not isinstance(parts, list) or not parts:
        raise BadCursorError(cursor)
    return parts


def _check(key: object, wanted: type) -> str | int | datetime:
    if wanted is datetime and type(key) is int:
        return _EPOCH + timedelta(microseconds=key)
    if type(key) is not wanted or not isinstance(key, str | int):
        raise BadCursorError("a key of another type")
    if isinstance(key, int) and abs(key) > LARGEST:
        raise BadCursorError("a key out of range")
    if isinstance(key, str) and "\x00" in key:
        raise BadCursorError("a key that is no text")
    return key


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
