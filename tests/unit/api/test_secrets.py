"""The key of the page's sessions: one for all processes, for nobody else's eyes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from multisite.api.secrets import KEY_BYTES, page_key
from multisite.errors import ConfigurationError


def test_the_key_is_made_once_with_mode_0600(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "page.key"
    key = page_key(path)

    assert len(key) == KEY_BYTES
    assert path.stat().st_mode & 0o777 == 0o600
    assert page_key(path) == key
    assert [file.name for file in path.parent.iterdir()] == ["page.key"]


def test_processes_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    start = threading.Barrier(8)

    def make(_: int) -> bytes:
        start.wait()
        return page_key(tmp_path / "page.key")

    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(make, range(8)))

    assert len(keys) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["page.key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "page.key"
    page_key(path)
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match=f"readable by others; run: chmod 600 {path}"):
        page_key(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "too short; remove it"),
        (b"abcd\n", "too short; remove it"),
        (b"not hexadecimal at all", "cannot be used: it holds no key"),
        (b"\xff" * 64, "cannot be used: it holds no key"),
    ],
)
def test_a_damaged_key_is_one_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "page.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match=said):
        page_key(path)


def test_a_place_where_no_file_can_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="cannot be used"):
        page_key(tmp_path / "file" / "page.key")
    with pytest.raises(ConfigurationError, match="cannot be used"):
        page_key(Path("/proc/page.key"))
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o700)
    with pytest.raises(ConfigurationError, match="cannot be used: Is a directory"):
        page_key(folder)
