"""Several `teawatch` commands in one process: `python -m edge.bench.delivery.clerk`.

Reads a command (a JSON list of words) a line, runs it as the command line would, and answers with what it printed, a
JSON string a line. To set a centre up takes eight commands; a process for each would take half a minute of a core.
"""

import contextlib
import io
import json
import sys

import teawatch


def main() -> None:
    """One after the other, until one fails: then its exit code is this process's."""
    for line in sys.stdin:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            try:
                teawatch.app(json.loads(line))
            except SystemExit as end:
                if end.code:
                    raise
        sys.stdout.write(json.dumps(out.getvalue()) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
