"""What runs is what was tested: every library has one version, whatever it is installed for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

LOCKS = Path(__file__).parents[2] / "requirements"


def pins(kind: str) -> dict[str, str]:
    text = (LOCKS / f"{kind}.txt").read_text(encoding="utf-8")
    return {found[1]: found[2] for found in re.finditer(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", text, re.MULTILINE)}


@pytest.mark.parametrize("kind", ["run", "bench"])
def test_every_library_is_installed_in_the_version_that_was_tested(kind: str) -> None:
    tested = pins("test")
    differs = {
        name: (version, tested[name]) for name, version in pins(kind).items() if tested.get(name, version) != version
    }
    assert differs == {}


def test_the_tests_have_everything_that_runs() -> None:
    assert len(pins("run")) > 30
    assert set(pins("run")) <= set(pins("test"))
