"""Every failure that has a known cause is one sentence on stderr and a non-zero exit."""

from pathlib import Path

import pytest

from multisite import __version__
from multisite.cli import main
from multisite.db import migrations

Captured = pytest.CaptureFixture[str]
#: The newest schema.
HEAD = max(file.name[1:5] for file in (Path(migrations.__file__).parent / "versions").glob("v*.py"))


def config(tmp_path: Path, text: str) -> str:
    file = tmp_path / "multisite.conf"
    file.write_text(text, encoding="utf-8")
    return str(file)


def failure(captured: Captured, *arguments: str) -> str:
    """The one line that a failing command says."""
    assert main(arguments) == 1
    out, err = captured.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("multisite: ")
    return line.removeprefix("multisite: ")


def test_the_database_is_made_and_then_up_to_date(tmp_path: Path, capsys: Captured) -> None:
    file = config(tmp_path, f"[database]\nconnection = sqlite:///{tmp_path}/m.sqlite\n")

    assert main(["db", "upgrade", "--config-file", file]) == 0
    assert capsys.readouterr().out == f"database: schema {HEAD}, upgraded from nothing\n"
    assert main(["db", "upgrade", "--config-file", file]) == 0
    assert capsys.readouterr().out == f"database: schema {HEAD}, is up to date\n"


def test_a_configuration_file_that_is_not_there(tmp_path: Path, capsys: Captured) -> None:
    said = failure(capsys, "db", "upgrade", "--config-file", str(tmp_path / "absent.conf"))
    assert said == f"there is no configuration file {tmp_path}/absent.conf"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://u:secret@h/d", "[database] connection: mysql is not served; use sqlite or postgresql"),
        ("nonsense", "[database] connection is not a database URL"),
        ("oracul://h", "[database] connection: oracul is not served; use sqlite or postgresql"),
        ("postgresql://u:secret@h:port/d", "[database] connection is not a database URL"),
    ],
)
def test_a_database_that_is_not_served(tmp_path: Path, capsys: Captured, url: str, said: str) -> None:
    file = config(tmp_path, f"[database]\nconnection = {url}\n")
    assert failure(capsys, "db", "upgrade", "--config-file", file) == said


def test_a_database_in_a_folder_that_is_not_there(tmp_path: Path, capsys: Captured) -> None:
    file = config(tmp_path, f"[database]\nconnection = sqlite:///{tmp_path}/absent/m.sqlite\n")
    said = failure(capsys, "db", "upgrade", "--config-file", file)
    assert said == f"the database {tmp_path}/absent/m.sqlite cannot be used: unable to open database file"


def test_a_damaged_database(tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("multisite.server._set_up_log", lambda _settings: None)
    (tmp_path / "m.sqlite").write_bytes(b"this is no database" * 100)
    file = config(tmp_path, f"[database]\nconnection = sqlite:///{tmp_path}/m.sqlite\n")
    for command in (["db", "upgrade"], ["serve"]):
        assert "m.sqlite is damaged" in failure(capsys, *command, "--config-file", file)


def test_serve_without_a_database_names_the_command_that_makes_one(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("multisite.server._set_up_log", lambda _settings: None)
    file = config(tmp_path, f"[database]\nconnection = sqlite:///{tmp_path}/m.sqlite\n")
    said = failure(capsys, "serve", "--config-file", file)
    assert said == f"there is no database {tmp_path}/m.sqlite; run: multisite db upgrade"


def test_a_password_file_that_is_not_there(tmp_path: Path, capsys: Captured) -> None:
    missing = str(tmp_path / "password")
    said = failure(
        capsys, "service", "register", "--credential", "c", "--url", "http://m", "--password-file", missing
    )
    assert said == f"{missing} cannot be read: No such file or directory"


@pytest.mark.parametrize(
    "clouds",
    [
        None,
        "clouds:\n  other:\n    auth: {auth_url: http://k}\n",
        "clouds: [",
        "clouds:\n  lab: 7\n",
        "- a\n- b\n",
        "clouds:\n  lab:\n    auth: {username: admin}\n",
    ],
    ids=["no file", "no such entry", "no YAML", "an entry that is a number", "a list", "no auth_url"],
)
def test_register_with_a_credential_that_cannot_be_used(
    tmp_path: Path, capsys: Captured, clouds: str | None
) -> None:
    path = tmp_path / "clouds.yaml"
    if clouds is not None:
        path.write_text(clouds, encoding="utf-8")
    file = config(tmp_path, f"[regions]\nclouds_file = {path}\n")

    said = failure(
        capsys, "service", "register", "--credential", "lab", "--url", "http://m", "--config-file", file
    )

    assert "lab" in said or "clouds.yaml" in said


def test_samples_are_printed(capsys: Captured) -> None:
    assert main(["sample", "policy"]) == 0
    assert '#"multisite:regions:list": "rule:tenant"' in capsys.readouterr().out
    assert main(["sample", "config"]) == 0
    assert "#interval = 60" in capsys.readouterr().out


def test_the_version(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"multisite {__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["db"], ["dance"], ["service", "register"]])
def test_a_command_that_is_none_is_a_usage_error(arguments: list[str], capsys: Captured) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: multisite" in capsys.readouterr().err


def test_an_interrupt_ends_quietly(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    def interrupt(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("multisite.server.serve", interrupt)
    assert main(["serve"]) == 130
    assert capsys.readouterr().err == ""
