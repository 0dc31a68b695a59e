"""The configuration: defaults, and one sentence for each mistake."""

from pathlib import Path

import pytest

from multisite.errors import ConfigurationError
from multisite.settings import Settings, load


def configured(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "multisite.conf"
    file.write_text(text, encoding="utf-8")
    return load(files=[file])


def test_the_defaults() -> None:
    found = load(files=[])

    assert found.database == "sqlite:///multisite.sqlite"
    assert (found.api.host, found.api.port, found.api.root_path) == ("127.0.0.1", 8118, "")
    assert (found.metrics.host, found.metrics.port) == ("127.0.0.1", 8119)
    assert (found.sweep.interval, found.sweep.health_interval, found.usage.interval) == (60, 15, 300)
    assert (found.usage.projects, found.usage.keep) == ("asked", 86400)
    assert found.thresholds == {"VCPU": 10, "MEMORY_MB": 10, "DISK_GB": 10, "volume": 10, "external_ipv4": 10}
    assert (found.operations.beat, found.operations.ttl) == (5.0, 20.0)
    assert (found.operations.at_once, found.operations.keep) == (50, 2592000)
    assert found.token_cache_time == 30
    assert found.regions.clouds_file is None


def test_values_of_the_file_are_taken(tmp_path: Path) -> None:
    found = configured(
        tmp_path,
        """
[api]
root_path = /multisite/
forwarded_allow_ips = 10.0.0.1,10.0.0.2
[regions]
clouds_file = ~/clouds.yaml
[operations]
beat = 0.5
ttl = 1.5
[thresholds]
percent_free = VCPU:12.5
[keystone_authtoken]
www_authenticate_uri = http://keystone:5000/
token_cache_time = -1
""",
    )
    assert found.api.root_path == "/multisite"
    assert found.api.forwarded_allow_ips == "10.0.0.1,10.0.0.2"
    assert found.regions.clouds_file == Path.home() / "clouds.yaml"
    assert (found.operations.beat, found.operations.ttl) == (0.5, 1.5)
    assert found.thresholds == {"VCPU": 12.5}
    assert found.home_auth_url == "http://keystone:5000"
    assert found.token_cache_time == -1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[sweep]\ninterval = often\n", "[sweep] interval: 'often' is not a whole number of 1 or more"),
        ("[sweep]\ninterval = 0\n", "[sweep] interval: '0' is not a whole number of 1 or more"),
        ("[sweep]\njitter = 0.9\n", "[sweep] jitter: '0.9' is not a number from 0 to 0.5"),
        ("[api]\nport = 99999\n", "[api] port: '99999' is not a whole number from 0 to 65535"),
        ("[api]\nhost = not a host\n", "host"),
        ("[usage]\nprojects = none\n", "projects"),
        ("[page]\nenabled = perhaps\n", "[page] enabled: 'perhaps' is not right"),
        ("[thresholds]\npercent_free = VCPU\n", "percent_free"),
        ("[thresholds]\npercent_free = VCPU:101\n", "VCPU:101 is not a percentage from 0 to 100"),
        ("[thresholds]\npercent_free = VCPU:nan\n", "VCPU:nan is not a percentage"),
        ("[thresholds]\npercent_free = VCPU:few\n", "VCPU:few is not a percentage"),
        ("[api]\nroot_path = multisite\n", "root_path"),
        ("[api]\npublic_url = cloud.example\n", "[api] public_url: cloud.example is not an address such as"),
        ("[api]\npublic_url = https://u:p@cloud.example\n", "public_url"),
        ("[api]\npublic_url = https://cloud.example/?a=b\n", "public_url"),
        ("[operations]\nat_once = 0\n", "[operations] at_once: '0' is not a whole number from 1 to 10000"),
        ("[operations]\nkeep = 1\n", "[operations] keep: '1' is not a whole number from 60 to 315360000"),
        ("[operations]\nbeat = 0\n", "[operations] beat: '0' is not a number from 0.1 to 600"),
        ("[operations]\nbeat = 5\nttl = 14\n", "[operations] ttl: 14 is less than three times beat (5)"),
        ("no section here\n", "configuration cannot be read"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_it(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        configured(tmp_path, text)
    assert said in caught.value.detail
    assert "\n" not in caught.value.detail


def test_the_public_address_ends_without_a_slash(tmp_path: Path) -> None:
    text = "[api]\npublic_url = https://cloud.example/multisite/\n"
    assert configured(tmp_path, text).api.public_url == "https://cloud.example/multisite"
    assert configured(tmp_path, "").api.public_url == ""


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no configuration file .*/absent\.conf"):
        load(files=[tmp_path / "absent.conf"])


def test_a_folder_is_no_configuration_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        load(files=[tmp_path])
