"""What is known of every bin, kept up as readings come in. The modules, in the order in which to read them.

watch        the one place where readings become states, for the runner, the evaluation and shadow mode alike
roll         its bins; entry: what holds for one
ragged       rows of many bins in one array
tails        the readings that still count, of all bins; tail: of one, for all at once; anchor: since when they count
archive      past cycles
account      what readings say; news: what they changed of the past
expectation  forecasts of the bins of which enough is known
"""
