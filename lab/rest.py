"""Calls to the lab's own services: plain JSON over keystoneauth.

The lab knows the addresses of its services, so no catalog is consulted: the catalog
itself is written this way. Environment proxies are ignored on the loopback interface.
"""

import http.client
from collections.abc import Mapping
from typing import Any

import requests
from keystoneauth1 import exceptions
from keystoneauth1.adapter import Adapter
from keystoneauth1.identity.v3 import Password
from keystoneauth1.session import Session

from lab.errors import LabError
from lab.layout import HOST, Lab, Region

TIMEOUT_SECONDS = 60.0
PATHS = {
    "keystone": "/v3",
    "nova": "/v2.1",
    "cinder": "/v3/{project}",
    "neutron": "/v2.0",
    "glance": "/v2",
    "placement": "",
}
MICROVERSIONS = {
    "nova": ("compute", "2.90"),
    "cinder": ("block-storage", "3.70"),
    "placement": ("placement", "1.39"),
}
CLIENT_ERROR, SERVER_ERROR = 400, 500


class Rest:
    """The services of one region as one user in one project."""

    def __init__(self, lab: Lab, region: Region, user: str, password: str, project: str) -> None:
        self._lab = lab
        self._region = region
        connection = requests.Session()
        connection.trust_env = False
        self._auth = Password(
            auth_url=lab.auth_url(region),
            username=user,
            password=password,
            user_domain_name="Default",
            project_name=project,
            project_domain_name="Default",
        )
        self._session = Session(auth=self._auth, session=connection, timeout=TIMEOUT_SECONDS)

    @property
    def project_id(self) -> str:
        """The id of the project, as Keystone knows it."""
        return str(self._auth.get_project_id(self._session))

    def get(self, service: str, path: str) -> dict[str, Any]:
        """Read; `path` follows the prefix of the service."""
        return self._call("GET", service, path)

    def post(self, service: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Make or act."""
        return self._call("POST", service, path, json=body)

    def put(self, service: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Set."""
        return self._call("PUT", service, path, **({} if body is None else {"json": body}))

    def upload(self, service: str, path: str, data: bytes) -> None:
        """Send bytes, e.g. those of an image."""
        headers = {"Content-Type": "application/octet-stream"}
        self._call("PUT", service, path, data=data, headers=headers)

    def _call(self, method: str, service: str, path: str, **options: Any) -> dict[str, Any]:
        prefix = PATHS[service]
        if "{project}" in prefix:
            prefix = prefix.format(project=self.project_id)
        url = self._lab.url(self._region, service) + prefix + path
        kind, version = MICROVERSIONS.get(service, (None, None))
        adapter = Adapter(self._session, service_type=kind, default_microversion=version)
        try:
            response = adapter.request(url, method, raise_exc=False, **options)
        except exceptions.ClientException as error:
            message = f"{method} {url} failed: {error}"
            raise LabError(message) from error
        if response.status_code >= CLIENT_ERROR:
            message = f"{method} {url} was refused with {response.status_code}: {response.text[:300]}"
            raise LabError(message)
        return dict(response.json()) if response.content else {}


def answers(port: int, path: str, timeout: float = 10.0) -> bool:
    """Whether an API responds to an anonymous request without a server error."""
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < SERVER_ERROR
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
