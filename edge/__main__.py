"""`python -m edge` is `teawatch edge`."""

from edge.cli import app

app()
