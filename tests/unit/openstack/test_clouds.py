"""Entries of the server's clouds.yaml, each mistake one sentence, secrets in none."""

import os
from pathlib import Path

import pytest

from multisite.openstack.clouds import Clouds
from multisite.openstack.failures import RegionCallError

ENTRY = """
  {name}:
    auth:
      auth_url: http://keystone:5000/v3
      username: admin
      password: {password}
      project_name: admin
      user_domain_name: Default
      project_domain_name: Default
    region_name: {region}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "clouds.yaml"


def write(path: Path, text: str, age: int = 0) -> None:
    """Write the file; `age` makes the change visible on file systems with coarse times."""
    path.write_text(text, encoding="utf-8")
    os.utime(path, (1_000_000_000 + age, 1_000_000_000 + age))


def clouds(*entries: str) -> str:
    return "clouds:" + "".join(entries)


def entry(name: str, password: str = "geheim", region: str = "RegionOne") -> str:  # noqa: S107
    return ENTRY.format(name=name, password=password, region=region)


def failure(path: Path, name: str = "lab") -> str:
    with pytest.raises(RegionCallError) as caught:
        Clouds(path).credential(name)
    assert caught.value.code == "credential-unusable"
    assert "geheim" not in caught.value.detail
    assert "\n" not in caught.value.detail
    return caught.value.detail


def test_an_entry(path: Path) -> None:
    write(path, clouds(entry("lab")))
    found = Clouds(path).credential("lab")

    assert (found.name, found.auth_url, found.region_name) == ("lab", "http://keystone:5000/v3", "RegionOne")
    assert (found.verify, found.interface) == (True, "public")
    assert "geheim" not in repr(found)


def test_entries_of_one_user_have_one_key_and_those_of_others_another(path: Path) -> None:
    write(path, clouds(entry("one"), entry("two", region="RegionTwo"), entry("other", password="x")))
    source = Clouds(path, look_again=0)

    assert source.credential("one").key == source.credential("two").key
    assert source.credential("one").key != source.credential("other").key


def test_an_entry_is_read_once_while_the_file_stands(path: Path) -> None:
    write(path, clouds(entry("lab")))
    source = Clouds(path, look_again=0)
    assert source.credential("lab") is source.credential("lab")


def test_a_rotated_password_is_seen_without_a_restart(path: Path) -> None:
    write(path, clouds(entry("lab")))
    source = Clouds(path, look_again=0)
    before = source.credential("lab")

    write(path, clouds(entry("lab", password="neu")), age=60)

    assert source.credential("lab").key != before.key


def test_a_file_that_was_broken_and_mended_works_again(path: Path) -> None:
    write(path, clouds(entry("lab")))
    source = Clouds(path, look_again=0)
    source.credential("lab")
    write(path, "clouds: [", age=60)
    with pytest.raises(RegionCallError):
        source.credential("lab")
    write(path, clouds(entry("lab")), age=120)
    assert source.credential("lab").name == "lab"


def test_a_file_that_is_not_there(path: Path) -> None:
    assert failure(path) == f"{path} cannot be read: No such file or directory"


def test_an_entry_that_is_not_there_is_told_with_those_that_are(path: Path) -> None:
    write(path, clouds(entry("b"), entry("a")))
    assert failure(path) == f"{path} has no entry 'lab'; it has: a, b"


@pytest.mark.parametrize(
    "text",
    [
        "clouds: [",
        "",
        "clouds:\n",
        "- a\n- b\n",
        "7\n",
        "clouds: 7\n",
        "clouds: [a, b]\n",
        "clouds:\n  lab: 7\n",
        "clouds:\n  lab: []\n",
        "clouds:\n  lab:\n",
        "clouds:\n  lab:\n    auth: 7\n",
        "clouds:\n  lab:\n    auth:\n      username: admin\n      password: geheim\n",
        "clouds:\n  lab:\n    auth_type: dance\n    auth: {auth_url: http://k}\n",
        "clouds:\n  lab:\n    auth_type: none\n    auth: {}\n",
        "\x00",
        "clouds: {lab: {auth: {auth_url: [1], username: u, password: geheim}}}\n",
    ],
)
def test_a_file_or_entry_that_is_wrong_is_one_sentence(path: Path, text: str) -> None:
    write(path, text)
    assert "clouds.yaml" in failure(path) or "'lab'" in failure(path)


def test_a_file_that_is_no_text(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00clouds")
    assert "clouds.yaml" in failure(path)


def test_a_certificate_file_that_is_not_there_is_told(path: Path) -> None:
    write(path, clouds(entry("lab") + "    cacert: /nowhere/ca.pem\n"))
    assert Clouds(path).credential("lab").verify == "/nowhere/ca.pem"
