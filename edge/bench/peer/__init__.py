"""Scripts that run in the peer's environment: nothing of TeaWatch is installed there, and nothing here is shipped work.

They are started by their path, import each other by their bare names, and are never imported by the product; only
`laps`, which needs the standard library alone, serves both sides.
"""
