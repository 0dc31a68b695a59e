"""The real transport, which also remembers: for counting calls and for repeating them."""

from collections.abc import Mapping
from typing import Any

from multisite.openstack.clouds import Credential
from multisite.openstack.transport import Answer, Limits, Transport


class RecordingTransport(Transport):
    """Makes the calls, and keeps (URL, headers) of each."""

    def __init__(self) -> None:
        super().__init__(Limits())
        self.asked: list[tuple[str, dict[str, str]]] = []

    async def request(
        self,
        method: str,
        url: str,
        *,
        credential: Credential,
        headers: Mapping[str, str],
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        self.asked.append((url, dict(headers)))
        return await super().request(method, url, credential=credential, headers=headers, body=body)
