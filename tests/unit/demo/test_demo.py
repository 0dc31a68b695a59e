"""What the demo does before it starts anything."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Self

import pytest

from demo.__main__ import _free, alone
from demo.cloud import DemoError


def test_a_second_demo_in_a_folder_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with alone(tmp_path):
        (tmp_path / "clouds.yaml").write_text("of the first")
        with pytest.raises(DemoError, match="another demo runs in this folder"), alone(tmp_path):
            pass
        child = subprocess.run(
            [sys.executable, "-c", f"from demo.__main__ import alone\nwith alone({str(tmp_path)!r}): pass"],
            cwd=Path(__file__).parents[3],
            env=os.environ | {"PYTHONPATH": "."},
            capture_output=True,
            check=False,
        )
        assert child.returncode != 0
    with alone(tmp_path):
        assert (tmp_path / "clouds.yaml").read_text() == "of the first"


def test_a_port_that_is_taken_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Socket:
        def __init__(self) -> None:
            self.port = 0

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def setsockopt(self, *_: object) -> None:
            pass

        def bind(self, address: tuple[str, int]) -> None:
            if address[1] == 8118:
                raise OSError("taken")
            self.port = address[1] or 4711

        def getsockname(self) -> tuple[str, int]:
            return ("127.0.0.1", self.port)

    monkeypatch.setattr(socket, "socket", Socket)
    assert _free(8119) == 8119
    assert not capsys.readouterr().err
    assert _free(8118) == 4711
    assert capsys.readouterr().err.startswith("demo: port 8118 is taken")
