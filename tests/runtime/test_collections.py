"""Garbage collection does not stop a process that serves."""

import subprocess
import sys

LOOK = """
import gc
from gx.runtime.processes.backend import spare_collections
before = len(gc.get_objects())
spare_collections()
print(before, len(gc.get_objects()))
"""


def test_what_was_made_before_serving_is_never_looked_through_again() -> None:
    """Fault: a collection of everything that was imported, in the midst of a request."""
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True)
    before, left = map(int, done.stdout.split())
    assert before > 10_000
    assert left < 1_000
