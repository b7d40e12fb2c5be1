"""What gmprt costs beside its peers; `python -m benchmarks` prints the table.

One scenario a file. Each has `SCENARIO = Scenario(...)` (see `harness`) and one function for each
contender, `gmprt_x(n)`, `asyncio_x(n)`, ..., that runs the scenario n times over and returns what
was measured, in seconds per operation unless the scenario says otherwise. A contender imports its
library inside its function, so that a scenario can be looked at where a library is missing, and so
that no contender pays for another's import.

    python -m benchmarks                                  the four scenarios of the speed table
    python -m benchmarks --scenario parked                any scenario, or several
    python -m benchmarks --json results.json              with every sample and the environment
    python -m benchmarks.latency                          how late a ticker is beside loads
    pytest benchmarks                                     all of it, through pytest-benchmark
"""
