"""`teawatch bench latency`: how long an alert takes to an officer's eyes, beside a backlog, over a thin line."""
