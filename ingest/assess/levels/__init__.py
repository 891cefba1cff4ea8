"""What is measured. The modules, in the order in which to read them.

readings     the readings of many sensors as arrays; the geometry that makes a distance a level
neighbours   what stands beside each value of a sensor
quality      how far each reading can be believed, and why not; its parts are
             believed, echoes, episodes and stuck
level        how full the bin was at each reading
emptying     when bins were emptied, as levels show it; falls: by which falls
calibration  other distances of the empty and the full bin, proposed to people
tracks       several sensors in one bin
findings     all of the above of some bins: what readings say, whatever the time is now
sensor       whether a bin's sensor can be relied on
reports      emptyings that crews report, held against what the sensor saw
"""
