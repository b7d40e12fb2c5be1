"""docs/conformance.md names each test file that stands for one of Go's, and no other."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONFORMANCE = ROOT / "tests" / "conformance"


def test_the_table_has_every_file_and_every_file_is_there():
    text = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_go_\w+\.py)`", text))
    assert named == {path.name for path in CONFORMANCE.glob("test_go_*.py")}
    others = set(re.findall(r"`(test_(?!go_)\w+\.py)`", text))
    assert [name for name in sorted(others) if not (CONFORMANCE / name).exists()] == []
