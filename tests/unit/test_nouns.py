"""Every field of a noun says who may touch it, with a tag of a closed set; all have a repr."""

import re
from pathlib import Path

import pytest

import gmprt._runtime.sched as sched_module
from gmprt._runtime import g, m, p, stack, sudog

TAG = re.compile(r"# \[(const|any|own: \w+|lock: [\w., ]+|atomic: [\w./, ]+)\]")
NOUNS = {
    "g.py": [g.G],
    "sudog.py": [sudog.Sudog],
    "m.py": [m.M],
    "p.py": [p.P],
    "stack.py": [stack.Stack],
    "sched.py": [sched_module.Sched],
}
ROOM = Path(g.__file__).parent


def fields(noun: type) -> list[str]:
    if noun is sched_module.Sched:
        return sorted(vars(sched_module.sched))
    return [name for name in noun.__slots__ if name != "__weakref__"]


@pytest.mark.parametrize(
    ("file", "noun"),
    [(file, noun) for file, nouns in NOUNS.items() for noun in nouns],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_each_field_says_who_may_touch_it(file, noun):
    source = (ROOM / file).read_text(encoding="utf-8")
    for name in fields(noun):
        lines = re.findall(rf"^ +(?:self\.)?{name}(?:: [^=\n]+)?(?: = .*)?$", source, re.M)
        assert any(TAG.search(line) for line in lines), f"{noun.__name__}.{name}: no tag"


def test_reprs_are_fit_for_a_dump():
    assert repr(p.P(3)) == "<P3 idle, 0 fresh>"
    assert repr(m.M(4)) == "<M4 no P, 0 goroutines>"
    assert "Ps idle" in repr(sched_module.sched)
    assert repr(sudog.TIMED_OUT) == "TIMED_OUT"
