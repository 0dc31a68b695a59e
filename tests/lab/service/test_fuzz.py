"""What must be seen, 6: whatever is sent, no answer is a 500, and every answer is as the document says."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.service.conftest import Api, Cloud, new_service

pytestmark = pytest.mark.lab


#: A region that is away is no failure of ours: 503 says that nothing was done, 504 that it is not known.
CONFIGURATION = """
[[operations]]
include-path-regex = "^/v1/inventory/"
checks.not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 503, 504]
"""


@pytest.mark.timeout(1200)
def test_no_generated_request_makes_a_500(fresh: Cloud, tmp_path: Path) -> None:
    service = new_service(fresh.service.cloud, tmp_path, fresh.service.settings)
    fresh.service.run("service", "register", "--credential", "RegionOne-admin", "--url", fresh.service.url)
    service.start()
    try:
        token = fresh.token("RegionOne-admin")
        api = Api(service.url, token)
        api.request("POST", "/v1/regions", json={"name": "RegionTwo", "credential": "RegionTwo-admin"})
        config = tmp_path / "schemathesis.toml"
        config.write_text(CONFIGURATION)
        done = subprocess.run(
            [
                *(str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(config)),
                *("run", f"{service.url}/openapi.json"),
                *("--header", f"X-Auth-Token: {token}", "--max-examples", "15", "--seed", "1"),
                *("--checks", "not_a_server_error", "--request-timeout", "30", "--workers", "1"),
                *("--phases", "examples,coverage,fuzzing", "--generation-database", "none", "--no-color"),
            ],
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
        assert service.answers()
    finally:
        service.stop()
