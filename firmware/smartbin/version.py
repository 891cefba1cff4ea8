"""What this program is called in `up/status`, and the earliest time that its clock can show."""

FIRMWARE = "0.1.0"
BUILT_AT = 1767225600  # Unix seconds; a clock before it was never set
LATEST_AT = 4102444800  # Unix seconds, the year 2100; a clock after it is nonsense
