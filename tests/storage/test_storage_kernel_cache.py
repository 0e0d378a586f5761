"""Compiled kernels are kept by the source of all of them."""

from __future__ import annotations

from pathlib import Path

import numba
import pytest

from desireline.storage.engines import kernel_cache


def test_a_changed_kernel_anywhere_changes_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "from desireline.storage.engines import kernel\n"
    (tmp_path / "a.py").write_text(text)
    (tmp_path / "plain.py").write_text("x = 1\n")
    monkeypatch.setattr(kernel_cache, "PACKAGE", tmp_path)
    before = kernel_cache.source_hash()
    (tmp_path / "plain.py").write_text("x = 2\n")
    assert kernel_cache.source_hash() == before
    (tmp_path / "a.py").write_text(text + "# changed\n")
    assert kernel_cache.source_hash() != before


def test_the_folder_lies_in_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    folder = kernel_cache.keep_by_source()
    assert folder is not None
    assert folder.parent == tmp_path / "desireline"
    assert str(folder) == numba.config.CACHE_DIR


def test_a_folder_the_user_chose_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert kernel_cache.keep_by_source() is None
