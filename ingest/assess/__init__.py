"""What readings mean, and which bins are due. The modules, in the order in which to read them.

What is measured
    readings     the readings of many sensors as arrays; the geometry that makes a distance a level
    neighbours   what stands beside each value of a sensor
    quality      how far each reading can be believed, and why not; its parts are
                 believed, echoes, episodes and stuck
    level        how full the bin was at each reading
    emptying     when bins were emptied, as levels show it
    calibration  other distances of the empty and the full bin, proposed to people
    tracks       several sensors in one bin
    findings     all of the above of some bins: what readings say, whatever the time is now
    hours        local days and hours of the week

What will be
    cycles       what bins did between two emptyings
    profile      how busy each hour of the week is: the clock of use; season: how busy each day was
    past         the last cycles of many bins, on that clock
    table        what bins of a kind have in common; pool prepares it and lesson learns it
    events       weighted events: quantiles and chances; waiting: the events that a mark is waited for with
    forecast     when bins reach their threshold and are full
    ending       how full bins are that nobody measures, as far as emptyings tell

What is to be done
    rules        what the council wants of a bin
    calendar     when its depot's rounds are
    sensor       whether its sensor can be relied on
    reports      emptyings that crews report, held against what the sensor saw
    experience   whether enough is known for a forecast to send anybody
    outlook      the chance that it overflows before it can be emptied, and whether that is too much
    reasons      the reasons for which a bin is due, one by one; wording: how their sentences are written
    due          which of them counts
    state        all that is said of a bin now
    conditions   what is wrong at a bin; alerts: when that opens an alert, and when it closes

What is thrown in
    envelope     which rises of a level are waste; spans: what is known between two readings
    usage        litres by bin, local day and hour
    placement    whether bins stand right, and what else to do

From readings that come in to states that are kept up
    watch        the one place where readings become states, for the runner, the evaluation and shadow mode alike
                 roll: its bins; entry: what holds for one; ragged: rows of many bins in one array;
                 tail, tails and anchor: the readings that still count; archive: past cycles;
                 account: what readings say; foresight and expectation: forecasts; news: what changed of the past

The database, and nothing else here, reads and writes
    runner       `python -m ingest assess`; settings
    work         the assessor: from the queue to what is written
    history      readings; roster and calendars: what the registry says
    outcome      states and emptyings; difference: which are worth writing
    cycle_store, alert_store, usage_store, usage_work
"""
