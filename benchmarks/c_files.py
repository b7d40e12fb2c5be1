"""A file of 32 MB read, from the system's cache: n times by each of 16 goroutines, for all.

gmprt does it unannounced, on two Ps and on one; what the others do in its place is written in
`_gil_free`. What is awaited: all reads; what they read is dropped.

Does not show: files that are not cached, which wait for the disk.
"""

from collections.abc import Callable

from benchmarks._gil_free import gil_free

SIZE = 32 << 20


def prepare() -> Callable[[], object]:
    import tempfile

    file = tempfile.NamedTemporaryFile()  # noqa: SIM115  # to the end of the process
    file.write(bytes(SIZE))
    file.flush()

    def read() -> object:
        with open(file.name, "rb", buffering=0) as opened:
            return opened.read(SIZE)

    return read


SCENARIO = gil_free(
    "file reads, 32 MB", prepare, 4, without_go="announces every read to its scheduler"
)
