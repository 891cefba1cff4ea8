"""An invented town that is served and used as Edinburgh's litter bins with sensors were in the summer of 2016.

The numbers were chosen by random search on the tuning seeds, so that quantiles of the intervals between emptyings, of
the fill at emptying and of the rate of filling come close to those of the council's published emptyings.
"""

from datetime import UTC, datetime
