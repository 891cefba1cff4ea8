"""What is known of every bin, kept up as readings come in, and what it means now. Pure: the clock is passed in.

The one place where readings become states: the runner on the database, the evaluation on an invented town and the shadow
mode all use it, so that what is evaluated is what runs.

    watch = Watch()
    watch.enrol({7: Entry(rules, sensor)})
    watch.take(readings(bin_ids, measured_at, empty_mm=1200, full_mm=200, distance_mm=distances))
    states = watch.look(now)

Of each bin it holds the readings since shortly before an emptying that is settled (its *anchor*), and its past cycles.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from ingest.assess.entry import Entry
from ingest.assess.findings import Findings
from ingest.assess.keeping import Anchor, Keeping, Revision
from ingest.assess.ragged import Rows
from ingest.assess.readings import Integers, Times
from ingest.assess.state import BinState, state_at

NOTHING = Findings()
