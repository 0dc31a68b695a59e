"""What `[quotas] webhook_url` and `webhook_secret_file` may be."""

from pathlib import Path

import pytest

from multisite import settings
from multisite.errors import ConfigurationError
from multisite.webhooks import Endpoint, read_secrets, signature

EXPECTED = "bc5b52c746fa74b8671a1a465c7dbd734b96d2e9f87bdc53b1f5b95707d1fca0"


def load(folder: Path, *lines: str) -> settings.QuotaSettings:
    file = folder / "multisite.conf"
    file.write_text("[quotas]\n" + "\n".join(lines), encoding="utf-8")
    return settings.load(files=[file]).quotas


def test_without_an_address_nothing_is_sent(tmp_path: Path) -> None:
    found = load(tmp_path)

    assert (found.webhook_url, found.webhook_secret_file, found.keep_events) == ((), None, 30)


def test_addresses_are_taken_once_each(tmp_path: Path) -> None:
    secret = "webhook_secret_file = /etc/multisite/webhook-secret"
    found = load(
        tmp_path, "webhook_url = https://a.example/x,http://b.example:8080/,https://a.example/x", secret
    )

    assert found.webhook_url == ("https://a.example/x", "http://b.example:8080/")
    assert found.webhook_secret_file == Path("/etc/multisite/webhook-secret")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/hidden",
        "a.example/hidden",
        "https:///hidden",
        "https://user:hidden@a.example/",
        "https://a.example/hidden#part",
        "https://a.example:99999/hidden",
        "https://[::1/hidden",
        "https://a.example/hid den",
        "https://ä.example/hidden",
    ],
)
def test_what_is_no_address_is_refused_and_not_repeated(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigurationError, match="webhook_url: number 2 is not an address") as refused:
        load(tmp_path, f"webhook_url = https://a.example/,{url}", "webhook_secret_file = s")

    assert "hidden" not in refused.value.detail


def test_an_address_needs_a_secret(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="webhook_url needs webhook_secret_file"):
        load(tmp_path, "webhook_url = https://a.example/")


def test_secrets_are_lines(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{'n' * 16}\n\n  {'o' * 20}  \n")

    assert read_secrets(file) == ["n" * 16, "o" * 20]
    assert read_secrets(None) == ()


@pytest.mark.parametrize("text", ["", "\n", "short", f"{'n' * 16}\nshort"])
def test_a_secret_that_is_none_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    file = tmp_path / "secret"
    file.write_text(text)

    with pytest.raises(ConfigurationError, match="write a secret of 16 characters or more") as refused:
        read_secrets(file)
    assert "short" not in refused.value.detail


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file"):
        read_secrets(tmp_path / "none")
    (tmp_path / "bytes").write_bytes(b"\xff" * 20)
    with pytest.raises(ConfigurationError, match="cannot be read: it is no text"):
        read_secrets(tmp_path / "bytes")


def test_the_signature_is_that_of_the_timestamp_and_the_body() -> None:
    """As `printf '1700000000.{}' | openssl dgst -sha256 -hmac key-key-key-key-` prints it."""
    found = signature("key-key-key-key-", 1700000000, b"{}")

    assert found == EXPECTED
    assert signature("key-key-key-key-", 1700000001, b"{}") != found
    assert signature("key-key-key-key-", 1700000000, b"{ }") != found
    assert signature("key-key-key-key+", 1700000000, b"{}") != found


def test_an_endpoint_tells_its_host_and_nothing_else() -> None:
    endpoint = Endpoint("https://a.example:8443/hidden?token=hidden")

    assert endpoint.host == "https://a.example:8443"
    assert "hidden" not in repr(endpoint)
    assert len(endpoint.key) == 32
    assert endpoint.key != Endpoint("https://a.example:8443/other").key
