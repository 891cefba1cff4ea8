"""What is to be done. The modules, in the order in which to read them.

rules        what the council wants of a bin
calendar     when its depot's rounds are
outlook      the chance that it overflows before it can be emptied, and whether that is too much
reasons      the reasons for which a bin is due, one by one; wording: how their sentences are written
due          which of them counts
state        all that is said of a bin now
conditions   what is wrong at a bin; alerts: when that opens an alert, and when it closes
"""
