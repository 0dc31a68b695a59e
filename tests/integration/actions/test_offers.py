"""What a region offers: its own words for what a project may use, and how many fit."""

from multisite.sim.compute.state import Flavor
from tests.integration.actions.conftest import Acting


async def swept(acting: Acting) -> None:
    """Capacity and inventory, as the sweeps would have stored them."""
    for path in (
        "/v1/capacity",
        *(f"/v1/inventory/{kind}" for kind in ("images", "networks", "security-groups")),
    ):
        answer = await acting.call("GET", f"{path}?fresh=true", user="admin")
        assert answer.status == 200, answer.text


async def test_offers_name_what_a_form_needs(acting: Acting) -> None:
    await swept(acting)
    offers = (await acting.call("GET", "/v1/inventory/offers/north")).json
    assert {each["name"] for each in offers["images"]} >= {"debian-12", "ubuntu-24.04"}
    wanted = acting.new_server()
    assert wanted["network_ids"][0] in {each["id"] for each in offers["networks"]}
    assert not any(each["attributes"]["external"] for each in offers["networks"])
    assert offers["keypairs"] == ["workstation"]
    assert "nova" in offers["availability_zones"]
    assert offers["volume_types"]
    assert (offers["complete"], offers["missing"]) == (True, [])
    theirs = (await acting.call("GET", "/v1/inventory/offers/north", user="beta")).json
    assert wanted["network_ids"][0] not in {each["id"] for each in theirs["networks"]}


async def test_operators_are_told_what_fits_and_tenants_what_their_limits_leave(acting: Acting) -> None:
    await swept(acting)
    project = acting.users.known[acting.token("alpha")].project_id
    acting.region().compute.quotas[project] = {"instances": 100, "cores": 12, "ram": 10**6}
    used = acting.region().compute.usage(project)["cores"]
    operator = (await acting.call("GET", "/v1/inventory/offers/north", user="admin")).json["flavors"]
    tenant = (await acting.call("GET", "/v1/inventory/offers/north")).json["flavors"]
    capacity = (await acting.call("GET", "/v1/capacity/north", user="admin")).json["flavors"]
    assert {each["id"]: each["fits"] for each in operator} == {each["id"]: each["fits"] for each in capacity}
    left = {each["name"]: each["fits"] for each in tenant}
    assert left["m1.small"] == max(0, 12 - used)
    assert left["m1.medium"] == max(0, 12 - used) // 2
    assert all(each["fits"] > 0 for each in operator)


async def test_external_networks_are_offered_to_those_who_may_plug_into_them(acting: Acting) -> None:
    await swept(acting)
    network = next(each for each in acting.region().network.networks.values() if each.external)
    seen = []
    for shared, user in ((False, "alpha"), (False, "admin"), (True, "alpha")):
        network.shared = shared
        acting.region().touch()
        offers = (await acting.call("GET", "/v1/inventory/offers/north", user=user)).json
        assert offers["complete"], offers["missing"]
        seen.append(network.id in {each["id"] for each in offers["networks"]})
    assert seen == [False, True, True]


async def test_a_private_flavor_is_offered_to_those_who_may_use_it(acting: Acting) -> None:
    project = acting.users.known[acting.token("alpha")].project_id
    secret = Flavor("f-secret", "m1.secret", 1, 512, 1, public=False)
    secret.access.add(str(project))
    acting.region().compute.flavors[secret.id] = secret
    await swept(acting)
    for user, seen in (("alpha", True), ("beta", False)):
        answer = await acting.call("GET", "/v1/inventory/offers/north", user=user)
        assert ("m1.secret" in answer.text) is seen, user


async def test_a_region_that_does_not_answer_offers_what_is_known(acting: Acting) -> None:
    await swept(acting)
    acting.cloud.set("status", region="north", service="compute", status=503)
    answer = await acting.call("GET", "/v1/inventory/offers/north")
    assert answer.status == 200
    assert answer.json["images"]
    assert (answer.json["flavors"], answer.json["complete"]) == ([], False)
    assert {each["service"] for each in answer.json["missing"]} == {"compute"}
    assert "127.0.0.1" not in answer.text


async def test_figures_that_were_not_believed_bound_nothing(acting: Acting) -> None:
    await swept(acting)
    acting.cloud.set("contradict", region="north", service="placement")
    await acting.call("GET", "/v1/capacity?fresh=true", user="admin")
    for user in ("admin", "alpha"):
        offers = (await acting.call("GET", "/v1/inventory/offers/north", user=user)).json
        assert {each["fits"] for each in offers["flavors"]} == {None}
        assert not offers["complete"]
        assert [(each["region"], each["service"], each["code"]) for each in offers["missing"]] == [
            ("north", "placement", "unexpected-answer")
        ]
    acting.cloud.set("contradict", region="north", service="compute")
    offers = (await acting.call("GET", "/v1/inventory/offers/north", user="admin")).json
    assert offers["flavors"] == []
    assert ("compute", "unexpected-answer") in {(each["service"], each["code"]) for each in offers["missing"]}


async def test_a_reader_may_look(acting: Acting) -> None:
    answer = await acting.service.call("GET", "/v1/inventory/offers/north", acting.token("alpha", "reader"))
    assert answer.status == 200
