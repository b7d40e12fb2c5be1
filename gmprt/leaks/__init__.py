"""leaks: which goroutines are alive that should not be, where they were born, why they do not end.

`living` and `by_site` count; `stuck` finds those that can never run again; `check`, `guard` and the
pytest plugin keep them out of tests; `watch` warns in production. At exit what is left is written
to stderr (`GMPRT_LEAKS`). docs/leaks.md has the rules and their limits.

Importing it begins the counting for `by_site`.
"""

from .check import LeakError as LeakError
from .check import check as check
from .check import guard as guard
from .check import living_gs as living
from .reach import stuck as stuck
from .sites import Site as Site
from .sites import by_site as by_site
from .sites import start_counting as _start_counting
from .watch import Watch as Watch
from .watch import watch as watch

__all__ = [
    "LeakError",
    "Site",
    "Watch",
    "by_site",
    "check",
    "guard",
    "living",
    "stuck",
    "watch",
]

_start_counting()
