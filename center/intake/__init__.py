"""What boxes say, taken in: verified, stored, made into leads and tasks, receipted. Start with `desk.py`."""
