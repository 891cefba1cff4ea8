"""What will be. The modules, in the order in which to read them.

hours        local days and hours of the week
cycles       what bins did between two emptyings
profile      how busy each hour of the week is: the clock of use; season: how busy each day was
past         the last cycles of many bins, on that clock
table        what bins of a kind have in common; pool prepares it and lesson learns it
events       weighted events: quantiles and chances; waiting: the events that a mark is waited for with
forecast     when bins reach their threshold and are full
foresight    the forecasts of all bins of a watch, whose table is prepared some times a day
ending       how full bins are that nobody measures, as far as emptyings tell
experience   whether enough is known for a forecast to send anybody
"""
