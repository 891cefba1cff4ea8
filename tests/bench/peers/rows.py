"""What the peers write: rows of `readings`, and nothing of what the ingester keeps beside them."""

import psycopg

INSERT_ONE = """
insert into readings (
    device_id, epoch, seq, measured_at, distance_mm, spread_mm, valid_count, temperature_c, battery_mv, tilt_deg, flags
)
values (%s, %s, %s, to_timestamp(%s), %s, %s, %s, %s / 10.0, %s, %s, %s)
on conflict do nothing
"""


def device_ids(connection: psycopg.Connection) -> dict[str, int]:
    """Give the devices' ids by their names."""
    return dict(connection.execute("select ref, id from devices").fetchall())
