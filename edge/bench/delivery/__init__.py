"""`teawatch bench delivery`: whether an alert is ever lost, with real processes under faults. Start with `storm.py`."""
