"""Which invented towns may be looked at while something is tuned, and which only score it.

Written down before anything was scored; a seed is never moved from one list to the other.
"""

TUNING = (101, 102, 103, 201, 202, 203)
EVALUATION = (7001, 7002, 7003, 7004, 7005)
