"""What is thrown in. The modules, in the order in which to read them.

envelope     which rises of a level are waste; spans: what is known between two readings
usage        litres by bin, local day and hour
placement    whether bins stand right, and what else to do
"""
