"""What gmprt costs beside its peers; `python -m benchmarks` measures all of it and writes a report.

One scenario a file. Each has `SCENARIO = Scenario(...)` (see `harness`) and one function for each
contender, `gmprt_x(n)`, `asyncio_x(n)`, ..., that runs the scenario n times over and returns what
was measured, in seconds per operation unless the scenario says otherwise. A contender imports its
library inside its function, so that a scenario can be looked at where a library is missing, and so
that no contender pays for another's import. Coroutine functions are run by the loop of their name.
The scenarios in Go are in `go/scenarios`.

    python -m benchmarks                                  all, into ./benchmark-results
    python -m benchmarks --bars                           those that have a bar
    python -m benchmarks --scenario parked                any scenario, or several
    python -m benchmarks --contender asyncio              gmprt and some of the others
    python -m benchmarks --compare OLD NEW                two results.json: what has changed
    python -m benchmarks.report results.json              the table and the page again
    python -m benchmarks.latency                          how late a ticker is beside loads
    pytest benchmarks                                     all of it, through pytest-benchmark
"""
