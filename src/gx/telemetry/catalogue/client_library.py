"""What prometheus_client exports by itself about the process and the interpreter.

Declared so that alerts can take these objects like any other; `test_catalogue_is_what_is_exported`
fails if the library stops exporting one or starts exporting another.
"""

from typing import Final

from gx.telemetry.catalogue.dimensions import EVERY_PROCESS
from gx.telemetry.metric import Kind, Label, Metric, Unit, ValueSource

_GENERATION: Final = Label("generation", values=("0", "1", "2"))

PROCESS_CPU: Final = Metric(
    name="process_cpu_seconds_total",
    kind=Kind.COUNTER,
    help="User and system CPU time spent.",
    unit=Unit.SECONDS,
    processes=EVERY_PROCESS,
    by_client_library=True,
)
PROCESS_RESIDENT_MEMORY: Final = Metric(
    name="process_resident_memory_bytes",
    kind=Kind.GAUGE,
    help="Resident memory.",
    unit=Unit.BYTES,
    processes=EVERY_PROCESS,
    by_client_library=True,
)
PROCESS_VIRTUAL_MEMORY: Final = Metric(
    name="process_virtual_memory_bytes",
    kind=Kind.GAUGE,
    help="Virtual memory.",
    unit=Unit.BYTES,
    processes=EVERY_PROCESS,
    by_client_library=True,
)
PROCESS_START_TIME: Final = Metric(
    name="process_start_time_seconds",
    kind=Kind.GAUGE,
    help="When the process started.",
    unit=Unit.TIMESTAMP_SECONDS,
    processes=EVERY_PROCESS,
    by_client_library=True,
)
PROCESS_OPEN_FDS: Final = Metric(
    name="process_open_fds",
    kind=Kind.GAUGE,
    help="Open file descriptors.",
    unit=Unit.COUNT,
    processes=EVERY_PROCESS,
    by_client_library=True,
)
PROCESS_MAX_FDS: Final = Metric(
    name="process_max_fds",
    kind=Kind.GAUGE,
    help="Most file descriptors that the process may open.",
    unit=Unit.COUNT,
    processes=EVERY_PROCESS,
    by_client_library=True,
)
PYTHON_INFO: Final = Metric(
    name="python_info",
    kind=Kind.GAUGE,
    help="Always 1; its labels say which interpreter runs.",
    unit=Unit.STATE,
    processes=EVERY_PROCESS,
    labels=tuple(
        Label(name, source=ValueSource.BUILD)
        for name in ("version", "implementation", "major", "minor", "patchlevel")
    ),
    by_client_library=True,
)
PYTHON_GC_OBJECTS_COLLECTED: Final = Metric(
    name="python_gc_objects_collected_total",
    kind=Kind.COUNTER,
    help="Objects that the garbage collector freed.",
    unit=Unit.COUNT,
    processes=EVERY_PROCESS,
    labels=(_GENERATION,),
    by_client_library=True,
)
PYTHON_GC_OBJECTS_UNCOLLECTABLE: Final = Metric(
    name="python_gc_objects_uncollectable_total",
    kind=Kind.COUNTER,
    help="Objects that the garbage collector could not free.",
    unit=Unit.COUNT,
    processes=EVERY_PROCESS,
    labels=(_GENERATION,),
    by_client_library=True,
)
PYTHON_GC_COLLECTIONS: Final = Metric(
    name="python_gc_collections_total",
    kind=Kind.COUNTER,
    help="Runs of the garbage collector.",
    unit=Unit.COUNT,
    processes=EVERY_PROCESS,
    labels=(_GENERATION,),
    by_client_library=True,
)

METRICS: Final = (
    PROCESS_CPU,
    PROCESS_RESIDENT_MEMORY,
    PROCESS_VIRTUAL_MEMORY,
    PROCESS_START_TIME,
    PROCESS_OPEN_FDS,
    PROCESS_MAX_FDS,
    PYTHON_INFO,
    PYTHON_GC_OBJECTS_COLLECTED,
    PYTHON_GC_OBJECTS_UNCOLLECTABLE,
    PYTHON_GC_COLLECTIONS,
)
