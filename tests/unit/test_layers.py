"""Imports point down only: who may import whom, as one list and a walk over the source.

What the order buys: each file can be read knowing only those below it, no import cycle can arise,
and the way back up is a callable handed down at boot, never an import inside a function. The walk
sees imports wherever they stand, in functions too. What stands under `if TYPE_CHECKING:` never
runs, so there the things of one layer may name each other; those above stay out of sight.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "gmprt"

DOOR = "_runtime"
"""The package `gmprt._runtime` itself: all of the runtime that public features see."""

TOP = "gmprt"
"""The package `gmprt` itself: the surface that users import."""

LAYERS = [
    # the ground
    [
        "_runtime.rawobject",
        "_runtime.fault",
        "_runtime.lock",
        "_runtime.note",
        "_runtime.clock",
        "_runtime.frames",
        "_runtime.rand",
        "_runtime.cpus",
        "_runtime.protocols",
        "_runtime.rawframe",
    ],
    ["_runtime.withs"],
    # the nouns: what a thing is, owns, and its local queue operations
    [
        "_runtime.sudog",
        "_runtime.g",
        "_runtime.stack",
        "_runtime.m",
        "_runtime.p",
        "_runtime.timers",
        "_runtime.heap",
        "_runtime.netpoll",
        "_runtime.netpoll_epoll",
    ],
    # the one shared object
    ["_runtime.sched"],
    # the verbs: who holds a P and who wakes whom, then having nothing to run, then running
    ["_runtime.handoff", "_runtime.waits"],
    ["_runtime.timerproc", "_runtime.ctx"],
    ["_runtime.idle", "_runtime.attn"],
    ["_runtime.newg", "_runtime.proc"],
    ["_runtime.park"],
    ["_runtime.knock"],
    ["_runtime.giveway", "_runtime.stops"],
    ["_runtime.monitoring", "_runtime.tracing"],
    ["_runtime.preempt"],
    # watching, looking inside, leaf verbs
    [
        "_runtime.syscall",
        "_runtime.foreign",
        "_runtime.debug",
        "_runtime.signals",
        "_runtime.exitcode",
        "_runtime.halt",
    ],
    ["_runtime.blocked", "_runtime.failures"],
    ["_runtime.sysmon"],
    # start, stop, fork; then what users call that no other room has
    ["_runtime.boot"],
    ["_runtime.run"],
    [DOOR],
    # public features
    ["chantypes"],
    ["hchan"],
    ["chan", "chanends", "selectgo", "timer", "sync", "contexttree", "context"],
    # what is built from public features
    ["errgroup", "singleflight", "net", "patch", "leaks", "traceback", "metrics"],
    # the surface
    [TOP, "__main__", "pytest_plugin"],
]
"""From the bottom up. A module may import from the layers below its own."""

FREE_LAYERS = 2
"""In so many layers from the top, modules may import each other."""

SIDEWAYS = {
    ("_runtime.lock", "_runtime.fault"),
    ("_runtime.lock", "_runtime.note"),
    ("_runtime.lock", "_runtime.rawobject"),
    ("_runtime.g", "_runtime.sudog"),
    ("_runtime.stack", "_runtime.sudog"),
    ("_runtime.m", "_runtime.sudog"),
    ("_runtime.m", "_runtime.g"),
    ("_runtime.timers", "_runtime.sudog"),
    ("_runtime.p", "_runtime.heap"),
    ("chanends", "chan"),
    ("selectgo", "chan"),
    ("selectgo", "chanends"),
    ("timer", "chanends"),
    ("timer", "selectgo"),
    ("contexttree", "chanends"),
    ("context", "contexttree"),
}
"""(importer, imported) of one layer, where the layer as a whole may not. No cycles."""

TYPING = ("TYPE_CHECKING", "typing.TYPE_CHECKING")

RUNTIME = LAYERS.index([DOOR])
"""Below this layer lies what only the runtime itself and the surface may see."""


def test_every_module_has_a_room():
    rooms = {name for layer in LAYERS for name in layer}
    assert {room(name) for name in modules(PACKAGE)} <= rooms


def test_imports_point_down_only():
    assert violations(PACKAGE) == []


def test_each_sideways_import_is_still_needed():
    """A stale entry would let the next one in unseen."""
    used = {(room(i.name), room(i.to)) for i in imports(PACKAGE) if not i.typing_only}
    assert used >= SIDEWAYS


class Import(NamedTuple):
    """One import of a module of gmprt by another."""

    name: str  # the importer
    to: str
    where: str  # file:line
    typing_only: bool


def modules(package: Path) -> dict[str, Path]:
    """Map each module's name, as in LAYERS, to its file."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
        found[".".join(parts) or TOP] = path
    return found


def room(name: str) -> str:
    """Return the room of a module: a room that is a package covers all that is in it."""
    parts = name.split(".")
    return ".".join(parts[: 2 if parts[0] == DOOR else 1])


def violations(package: Path) -> list[str]:
    """Say `file:line: importer imports imported` for each import that the layers forbid."""
    return [f"{i.where}: {i.name} imports {i.to}" for i in imports(package) if not allowed(i)]


def allowed(found: Import) -> bool:
    """Tell whether the layers let that import be."""
    name, to = room(found.name), room(found.to)
    if name == to or (name, to) in SIDEWAYS:
        return True
    mine, its = level(name), level(to)
    if its < RUNTIME < mine < len(LAYERS) - 1:
        return False  # past the door
    free = found.typing_only or mine >= len(LAYERS) - FREE_LAYERS
    return its < mine or (its == mine and free)


def level(name: str) -> int:
    """Return the index of a room's layer."""
    for at, layer in enumerate(LAYERS):
        if name in layer:
            return at
    raise LookupError(f"{name} has no room in LAYERS")


def imports(package: Path) -> Iterator[Import]:
    """Yield each import of gmprt's own modules by one another."""
    known = modules(package)
    trees = {name: ast.parse(path.read_text()) for name, path in known.items()}
    exported = {name: bound_names(tree) for name, tree in trees.items()}
    for name, path in known.items():
        inside = path.name == "__init__.py"
        for node, typing_only in statements(trees[name]):
            where = f"{path.relative_to(package.parent)}:{node.lineno}"
            for source, member in targets(node, name, inside):
                if source.split(".")[0] == "gmprt":
                    to = reached(source, member, known, exported)
                    yield Import(name, to, where, typing_only)


def statements(tree: ast.Module) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    """Yield each import statement, and whether only a type checker sees it."""
    unseen = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) in TYPING
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, node in unseen


def targets(
    node: ast.Import | ast.ImportFrom, name: str, is_package: bool
) -> Iterator[tuple[str, str]]:
    """Yield (absolute module, name taken from it or "") for an import statement of `name`."""
    if isinstance(node, ast.Import):
        yield from ((alias.name, "") for alias in node.names)
        return
    base: list[str] = []
    if node.level:
        full = ["gmprt", *([] if name == TOP else name.split("."))]
        base = full[: len(full) - node.level + is_package]
    source = ".".join([*base, *([node.module] if node.module else [])])
    yield from ((source, alias.name) for alias in node.names)


def reached(source: str, member: str, known: dict[str, Path], exported: dict[str, set[str]]) -> str:
    """Return the module of gmprt that an import reaches.

    `from ._runtime import syscall` is the door's function where the door binds that name, else the
    module behind it.
    """
    name = source.removeprefix("gmprt").removeprefix(".")
    below = f"{name}.{member}" if name else member
    name = name or TOP
    return below if below in known and member not in exported.get(name, set()) else name


def bound_names(tree: ast.Module) -> set[str]:
    """Return the names that a module's top level takes from elsewhere or defines."""
    bound: set[str] = set()
    for node in tree.body:
        match node:
            case ast.ImportFrom(module=str()):
                bound.update(alias.asname or alias.name for alias in node.names)
            case ast.FunctionDef(name=defined) | ast.ClassDef(name=defined):
                bound.add(defined)
            case ast.Assign(targets=[ast.Name(id=defined)]):
                bound.add(defined)
    return bound


@pytest.mark.parametrize(
    ("file", "line", "found"),
    [
        ("_runtime/p.py", "from .proc import schedule", "_runtime.proc"),
        ("_runtime/p.py", "def f():\n    from . import proc", "_runtime.proc"),
        ("_runtime/p.py", "import gmprt._runtime.proc", "_runtime.proc"),
        ("_runtime/p.py", "from .m import M", "_runtime.m"),
        ("_runtime/p.py", "if TYPE_CHECKING:\n    pass\nelse:\n    from .m import M", "_runtime.m"),
        ("_runtime/p.py", "if TYPE_CHECKING:\n    from .proc import M", "_runtime.proc"),
        ("_runtime/p.py", "from .. import chan", "chan"),
        ("_runtime/p.py", "from . import gopark", "_runtime"),
        ("_runtime/p.py", "from gmprt import Chan", "gmprt"),
        ("chan.py", "from ._runtime.proc import gopark", "_runtime.proc"),
        ("chan.py", "from ._runtime import proc", "_runtime.proc"),
        ("chan.py", "from ._runtime.syscall import syscall", "_runtime.syscall"),
        ("chan.py", "import gmprt._runtime.syscall", "_runtime.syscall"),
        ("chan.py", "import gmprt._runtime.proc as p", "_runtime.proc"),
        ("chan.py", "from .sync import Mutex", "sync"),
        ("chan.py", "from . import Chan", "gmprt"),
        ("leaks.py", "from ._runtime.proc import gopark", "_runtime.proc"),
        ("net/socket.py", "from .._runtime.proc import gopark", "_runtime.proc"),
        ("net/socket.py", "from ..__main__ import main", "__main__"),
    ],
)
def test_a_forbidden_import_is_found(tmp_path, file, line, found):
    tree = plant(tmp_path, {file: line})
    name = room(file.removesuffix(".py").replace("/", "."))
    (violation,) = violations(tree)
    assert violation.startswith(f"gmprt/{file}:")
    assert violation.endswith(f" imports {found}")
    assert f": {name}" in violation


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("_runtime/proc.py", "from .p import P\nfrom .fault import throw"),
        ("_runtime/proc.py", "from . import p"),
        ("_runtime/p.py", "if TYPE_CHECKING:\n    from .m import M"),
        ("_runtime/lock.py", "from .fault import throw"),
        ("_runtime/boot.py", "from .proc import schedule"),
        ("chan.py", "from ._runtime import gopark, syscall"),
        ("chan.py", "import threading\nfrom greenlet import greenlet"),
        ("leaks.py", "from .chan import Chan\nfrom .traceback import stack"),
        ("leaks.py", "from . import chan\nfrom ._runtime import gopark"),
        ("net/socket.py", "from . import poll\nfrom .poll import wait\nfrom ..chan import Chan"),
        ("__init__.py", "from ._runtime.proc import gopark as gopark"),
        ("__main__.py", "from . import run\nfrom ._runtime import proc"),
    ],
)
def test_an_allowed_import_is_let_through(tmp_path, file, line):
    assert violations(plant(tmp_path, {file: line})) == []


def plant(folder: Path, sources: dict[str, str]) -> Path:
    """Make a package with a file for each room, and `sources` in those that it names."""
    files = {
        "_runtime/__init__.py": "from .proc import gopark\nfrom .syscall import syscall",
        **{f"{name.replace('.', '/')}.py": "" for layer in LAYERS for name in layer},
        "net/__init__.py": "",
        "net/poll.py": "",
        "__init__.py": "from .chan import Chan as Chan",
    } | sources
    for name in ("_runtime.py", "gmprt.py", "net.py"):
        del files[name]
    for name, text in files.items():
        path = folder / "gmprt" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "gmprt"
