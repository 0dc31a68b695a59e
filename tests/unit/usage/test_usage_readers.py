"""What the lab's services tell of a project, under their own names."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest

from multisite.openstack.client import RegionClient
from multisite.openstack.figures import Impossible
from multisite.usage import readers
from multisite.usage.model import ResourceUsage

Recorded = Callable[[str], Any]


class Answers(RegionClient):
    """A client that answers one recorded document."""

    def __init__(self, document: Any) -> None:
        self.document = document
        self.asked = ""
        self.parameters: dict[str, str | int] = {}

    async def get(
        self,
        service: str,
        path: str,
        parameters: Mapping[str, str | int] | None = None,
        *,
        microversion: str | None = None,  # noqa: ARG002 - as the real one
    ) -> dict[str, Any]:
        self.asked = f"{service}{path}"
        self.parameters = dict(parameters or {})
        return dict(self.document)

    async def pages(
        self,
        service: str,
        path: str,
        key: str,
        parameters: Mapping[str, str | int] | None = None,
        *,
        microversion: str | None = None,  # noqa: ARG002
    ) -> AsyncIterator[list[dict[str, Any]]]:
        self.asked = f"{service}{path}"
        self.parameters = dict(parameters or {})
        yield self.document[key]


async def test_compute(recorded: Recorded) -> None:
    client = Answers(recorded("nova_quota_detail"))
    found = await readers.compute(client, "p")

    assert client.asked == "compute/os-quota-sets/p/detail"
    assert found["compute/cores"] == ResourceUsage(3, 0, 20, 17)
    assert found["compute/key_pairs"] == ResourceUsage(None, 0, 100)
    assert set(found) == {"compute/instances", "compute/cores", "compute/ram", "compute/key_pairs"}


async def test_volume(recorded: Recorded) -> None:
    client = Answers(recorded("cinder_quota"))
    found = await readers.volume(client, "p")
    raw = recorded("cinder_quota")["quota_set"]["gigabytes"]

    assert (client.asked, client.parameters) == ("volume/os-quota-sets/p", {"usage": "True"})
    assert found["volume/gigabytes"].used == raw["in_use"]
    assert found["volume/gigabytes"].limit == raw["limit"]
    assert len(found) == 5


async def test_network(recorded: Recorded) -> None:
    client = Answers(recorded("neutron_quota_details"))
    found = await readers.network(client, "p")

    assert client.asked == "network/quotas/p/details.json"
    assert found["network/port"] == ResourceUsage(4, 0, 500, 496)
    assert found["network/security_group_rule"].used == 7
    assert len(found) == 7


async def test_images_are_counted_and_summed_for_their_owner(recorded: Recorded) -> None:
    client = Answers(recorded("glance_images"))
    found = await readers.image(client, "p")

    assert client.asked == "image/images"
    assert client.parameters["owner"] == "p"
    assert found["image/image_count_total"] == ResourceUsage(3)
    assert found["image/image_size_total"] == ResourceUsage(524288 + 2097152 + 4194304)


async def test_an_image_without_data_counts_with_no_bytes() -> None:
    found = await readers.image(Answers({"images": [{"size": None}, {}]}), "p")
    assert (found["image/image_count_total"].used, found["image/image_size_total"].used) == (2, 0)


async def test_a_resource_that_a_service_does_not_know_is_left_out() -> None:
    assert await readers.network(Answers({"quota": {"port": {"used": 1, "limit": -1}}}), "p") == {
        "network/port": ResourceUsage(1, 0, -1)
    }


@pytest.mark.parametrize("project_id", ["a/../b", "a?b", "a#b", "%2e"])
async def test_an_odd_project_id_stays_one_segment_of_the_path(project_id: str) -> None:
    for read in (readers.compute, readers.volume, readers.network):
        client = Answers({"quota_set": {}, "quota": {}})
        await read(client, project_id)
        assert project_id not in client.asked
        assert client.asked.count("/") in {2, 3}
        assert not {"?", "#"} & set(client.asked)


@pytest.mark.parametrize("figures", [{"in_use": -1}, {"reserved": -1}, {"limit": -2}, {"in_use": 2**63}])
async def test_figures_that_cannot_be_are_refused(figures: dict[str, int]) -> None:
    whole = {"in_use": 3, "limit": 2, "reserved": 0}
    assert (await readers.volume(Answers({"quota_set": {"volumes": whole}}), "p"))[
        "volume/volumes"
    ].left == -1
    for read, name in ((readers.volume, "volumes"), (readers.compute, "cores")):
        with pytest.raises(Impossible, match=name):
            await read(Answers({"quota_set": {name: whole | figures}}), "p")


async def test_images_smaller_than_nothing_are_refused() -> None:
    with pytest.raises(Impossible):
        await readers.image(Answers({"images": [{"size": -1}]}), "p")
