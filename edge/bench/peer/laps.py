"""How a competitor takes part: a process that makes one lap for each line it is sent, and answers with what it took.

The first line it writes is `ready`. What libraries print goes to standard error, so that answers stay alone.
"""

import json
import os
import sys
import time
from collections.abc import Callable


def serve(lap: Callable[[str], tuple[int, int]]) -> None:
    """Make a lap for each line of standard input, until it ends. `lap` takes the line; frames and boxes come back.

    An answer is one JSON object: `frames`, `boxes`, `wall_s`, and `cpu_s` of all threads of this process.
    """
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        frames, boxes = lap(line.strip())
        wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
        answer = {"frames": frames, "boxes": boxes, "wall_s": wall_s, "cpu_s": cpu_s}
        print(json.dumps(answer), file=answers, flush=True)
