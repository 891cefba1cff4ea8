"""Runs in MicroPython: appends readings to a spool on LittleFS whose power fails at every single write in turn."""

# ruff: noqa: ANN001, ANN201, T201 - a script for MicroPython

from littlefs import Flash, PowerCutError
from smartbin import record, spool

BATCHES, BATCH_ROWS = 8, 3


def rows(batch):
    return [
        (1, record.pack((batch * BATCH_ROWS + n, 1772366400, 640, 4, 7, 215, 3650, 2, 0))) for n in range(BATCH_ROWS)
    ]


def run(cut_at):
    """Give the batches whose writing returned, and the flash after the power cut."""
    flash = Flash()
    flash.mount()
    flash.writes_left = cut_at
    kept = 0
    try:
        store = spool.Spool("/flash/spool")
        for batch in range(BATCHES):
            store.append(rows(batch))
            kept += 1
    except (PowerCutError, OSError):
        pass
    flash.umount()
    return kept, flash


cut_at, cuts, lost = 1, 0, 0
while True:
    kept, flash = run(cut_at)
    flash.mount()
    read = spool.Spool("/flash/spool").read((0, 0), 1000)[0]
    expected = [slot for batch in range(kept) for slot in rows(batch)]
    lost += read[: len(expected)] != expected
    spool.Spool("/flash/spool").append(rows(99))
    lost += spool.Spool("/flash/spool").read((0, 0), 1000)[0][-BATCH_ROWS:] != rows(99)
    flash.umount()
    if kept == BATCHES:
        break
    cuts += 1
    cut_at += 1
print(cuts, lost)
