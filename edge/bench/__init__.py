"""`teawatch bench edge`: what a box can do, measured. Start with the table in `measurements`.

Nothing is imported here: each competitor is a process of its own that begins with this package.
"""
