"""What readings mean, and which bins are due: from distances to a list. The rooms, in the order in which to read them.

levels       what is measured: readings, how far each is believed, levels, emptyings
forecasts    what will be: what bins did in past cycles, and when they will be full
decisions    what is to be done: rules and rounds, which bins are due and why, alerts
places       what is thrown in where and when, and whether bins stand right
memory       what is known of every bin, kept up as readings come in: the one place where readings become states
store        the database: the assess runner, what it loads and what it writes

All but `store` is pure: no input, no output, the clock is passed in. A room imports only from rooms above it. The
`__init__.py` of each names its modules.
"""
