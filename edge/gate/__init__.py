"""The gate: whether anything happens before a camera, found out as cheaply as possible. Start with `gate.Gate`."""
