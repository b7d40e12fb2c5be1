"""Ten yield to each other, each from fifty calls deep: does a switch cost more from there?

What is awaited: the end of all ten. A coroutine cannot be suspended in a plain call, so in asyncio,
trio and curio each call on the way is an `await`, and every resume goes through the whole chain. A
goroutine's or greenlet's frames just stay where they are.

Does not show: calls through C (`sorted` with a key, a callback), whose frames lie on the stack that
greenlet copies, nor the calls themselves, which are made once.
"""

from benchmarks._deep import deep

SCENARIO = deep(50, 200_000, dict.fromkeys(("asyncio", "uvloop", "trio", "curio"), 2))
