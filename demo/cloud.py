"""A cloud to run multisite over: simulated regions, or the lab's real ones."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class DemoError(Exception):
    """Something that the demo cannot go on without; the sentence says what."""


@dataclass(frozen=True)
class Cloud:
    """Some regions, and how to reach them.

    `auth_url` is the home Keystone's, `operator` the entry of `clouds_file` that an administrator works with,
    `credentials` the entries that see all regions together: one where they share a Keystone.
    """

    regions: tuple[str, ...]
    auth_url: str
    clouds_file: Path
    operator: str
    credentials: tuple[str, ...]

    def openstack(self, entry: str, *words: str) -> str:
        """Run the real `openstack` with an entry; answers what it printed. HOME is an empty folder."""
        done = subprocess.run(
            [str(Path(sys.executable).parent / "openstack"), "--os-cloud", entry, *words],
            env={
                "OS_CLIENT_CONFIG_FILE": str(self.clouds_file),
                "PATH": "/usr/bin:/bin",
                "HOME": "/nonexistent",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise DemoError(f"openstack {' '.join(words)}: {(done.stderr or done.stdout).strip()}")
        return done.stdout

    def limit(self, project: str, limits: Mapping[str, int]) -> None:
        """Limit a project's use over all regions with the real command: resource → limit."""
        words = [word for name, limit in limits.items() for word in ("--limit", f"{name}={limit}")]
        self.openstack(self.operator, "multisite", "quota", "set", project, *words, "--format", "json")

    def discover(self) -> None:
        """Register all regions with the real command."""
        for credential in self.credentials:
            words = ("multisite", "region", "discover", "--credential", credential, "--format", "json")
            self.openstack(self.operator, *words)
