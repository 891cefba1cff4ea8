"""The database: nothing else here reads or writes. The modules, in the order in which to read them.

runner       `python -m ingest assess`; settings
work         the assessor: from the queue to what is written
history      loads readings; roster and calendars: what the registry says
outcome      writes states and emptyings; difference: which are worth writing
cycle_store  past cycles; alert_store: alerts; usage_store and usage_work: what was thrown in
proposals    calibrations that readings propose
"""
