"""The centre's log: an append-only tree over what came in, who saw it and what was decided; it names nobody.

`entries` says what is entered, `appending` how; `tree` proves, `heads` publishes, `proofs` is what a bundle takes
along, `verification` recomputes everything, `erasure` forgets persons.
"""
