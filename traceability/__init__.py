"""Whose leaf it is: the dated register, cards, lots, links with reasons. Start with `links` and `trace`."""
