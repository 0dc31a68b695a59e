"""What the API refuses, because to accept it would be to guess: each time with a sentence."""

from datetime import timedelta
from typing import Any

import pytest

from multisite.clock import FixedClock
from multisite.regions.model import Endpoint, Region
from tests.integration.service import ALPHA, Service

REGIONS = "/v1/regions"
NEW = {"name": "North", "credential": "lab"}


async def refused(service: Service, status: int, *call: Any) -> str:
    """The sentence of a refusal with that status."""
    answer = await service.call(*call)
    assert answer.status == status, answer.text
    return str(answer.error["detail"])


async def create(service: Service, **fields: Any) -> str:
    return await refused(service, 400, "POST", REGIONS, "operator", NEW | fields)


async def change(service: Service, **fields: Any) -> str:
    body = {"generation": 1, **fields}
    return await refused(service, 400, "PATCH", "/v1/regions/RegionTwo", "operator", body)


@pytest.mark.parametrize(
    "listing", [REGIONS, "/v1/health", "/v1/capacity", "/v1/usage", f"/v1/usage/{'c' * 32}"]
)
async def test_a_filter_with_regions_that_are_none_names_them(service: Service, listing: str) -> None:
    await service.add("a", "compute")
    said = await refused(service, 404, "GET", f"{listing}?region=Nope&region=a&region=Atlantis")
    assert said == "there are no regions called 'Atlantis', 'Nope'"
    assert (await refused(service, 404, "GET", f"{listing}?region=Nope")) == (
        "there is no region called 'Nope'"
    )


async def test_a_sentence_about_many_regions_stays_short(service: Service) -> None:
    query = "&".join(f"region=r{number:03}" for number in range(50))
    said = await refused(service, 404, "GET", f"{REGIONS}?{query}")
    assert said.endswith("'r009' and 40 more")


async def test_a_service_that_is_none_is_named_with_those_that_there_are(service: Service) -> None:
    await service.add("a", "compute", "object-store")
    assert (await service.call("GET", "/v1/health?service=object-store")).json["services"]
    said = await refused(service, 404, "GET", "/v1/health?service=nova&service=compute")
    assert said == (
        "there is no service 'nova' here; there are: compute, identity, image, network, object-store, "
        "placement, volume"
    )


@pytest.mark.parametrize("token", ["operator", "reader"])
async def test_a_resource_to_sort_by_that_is_none_is_named(service: Service, token: str) -> None:
    said = await refused(service, 400, "GET", "/v1/usage?sort=compute/x", token)
    assert said.startswith("sort: there is no resource 'compute/x'; there are: compute/cores, ")


@pytest.mark.parametrize(
    "path", ["/v1/regions", "/v1/capacity/a", f"/v1/usage/{ALPHA}", "/v1/health", "/v1", "/healthcheck"]
)
async def test_a_parameter_that_is_none_is_named(service: Service, path: str) -> None:
    await service.add("a")
    said = await refused(service, 400, "GET", f"{path}?regoin=a")
    assert said.startswith(f"there is no parameter 'regoin' of GET {path}")


async def test_a_parameter_is_given_once_unless_it_may_be_repeated(service: Service) -> None:
    await service.add("a")
    assert await refused(service, 400, "GET", "/v1/inventory/servers?name=a&name=b") == "name: give it once"
    assert (await service.call("GET", "/v1/capacity?region=a&region=a")).status == 200
    assert (await service.call("GET", "/v1/capacity/history?resource=VCPU&resource=PCPU")).status == 200


async def test_a_nul_is_refused_in_words(service: Service) -> None:
    said = await refused(service, 400, "GET", "/v1/inventory/servers?marker=a%00b")
    assert said == "marker: it holds the character U+0000; write plain text"
    said = await refused(service, 400, "GET", "/v1/inventory/servers?name=a%00b")
    assert said == "name: it holds a line break or another control character; write plain text in one line"


async def test_the_parameters_that_there_are_are_told(service: Service) -> None:
    said = await refused(service, 400, "GET", "/v1/capacity?Region=a&x=1")
    assert said == (
        "there is no parameter 'Region', 'x' of GET /v1/capacity; it takes: fresh, limit, marker, region"
    )
    assert (await refused(service, 400, "GET", "/v1?x=1")).endswith("; it takes none")


async def test_a_token_is_asked_for_before_parameters_are_looked_at(service: Service) -> None:
    await refused(service, 401, "GET", "/v1/regions?x=1", None)


@pytest.mark.parametrize("value", ["yes", "true", 1, 0])
async def test_a_truth_value_is_no_text_and_no_number(service: Service, value: Any) -> None:
    assert await create(service, enabled=value) == "enabled: write true or false, without quotes"


@pytest.mark.parametrize("value", ["1", True, 2.0])
async def test_a_whole_number_is_nothing_else(service: Service, value: Any) -> None:
    await service.add("RegionTwo")
    sentence = "write a whole number, without quotes"
    assert await create(service, position=value) == f"position: {sentence}"
    assert await create(service, sweep_interval=value) == f"sweep_interval: {sentence}"
    assert await change(service, generation=value) == f"generation: {sentence}"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"colour": "red"}, "colour: there is no such field; there are: credential, dashboard_url, "),
        ({"name": 7}, "name: write a text, in quotes"),
        ({"name": "a b"}, "name: write a letter or digit, then up to 254 letters, digits, '.', "),
        ({"credential": ""}, "credential: it must not be empty"),
        ({"region_name": "x" * 256}, "region_name: it has more than 255 characters"),
        ({"interface": "side"}, "interface: write 'public', 'internal' or 'admin'"),
        ({"position": 2**31}, "position: write a number less than 2147483648"),
        ({"sweep_interval": 0}, "sweep_interval: write a number of 1 or more"),
        ({"sweep_interval": 86401}, "sweep_interval: write a number of 86400 or less"),
        ({"labels": ["a"]}, "labels: write an object, in braces"),
        ({"labels": {"a": 1}}, "labels.a: write a text, in quotes"),
    ],
    ids=lambda value: str(value)[:20],
)  # fmt: skip
async def test_a_field_that_is_wrong_is_told_in_our_words(
    service: Service, fields: dict[str, Any], sentence: str
) -> None:
    assert (await create(service, **fields)).startswith(sentence)


async def test_a_body_that_is_wrong_is_told_in_our_words(service: Service) -> None:
    async def said(raw: bytes) -> str:
        return str((await service.call("POST", REGIONS, raw=raw)).error["detail"])

    assert await said(b'{"name": }') == "the body is no JSON (at character 10)"
    assert await said(b"[]") == "body: write an object, in braces"
    assert await said(b"") == "the body is missing; send JSON"
    assert await said(b"[" * 100_000) == "the body cannot be read as JSON: it is no text, or nested too deep"
    missing = "credential: this field is required"
    assert await refused(service, 400, "POST", REGIONS, "operator", {"name": "a"}) == missing


async def test_a_query_that_is_wrong_is_told_in_our_words(service: Service) -> None:
    for word in ("perhaps", "yes", "1", "on", "t"):
        for path in (f"/v1/capacity?fresh={word}", f"/v1/inventory/servers?fresh={word}"):
            assert await refused(service, 400, "GET", path) == "fresh: write true or false"
    assert (await service.call("GET", "/v1/capacity?fresh=false")).status == 200
    assert (await refused(service, 400, "GET", "/v1/inventory/servers?visible=yes")).startswith("visible: ")
    assert await refused(service, 400, "GET", "/v1/regions?limit=x") == "limit: write a whole number"
    assert await refused(service, 400, "GET", "/v1/regions?limit=0") == "limit: write a number of 1 or more"


async def test_a_field_inside_a_field_is_named_with_both(service: Service) -> None:
    await service.add("RegionTwo")
    said = await change(service, maintenance={"reason": "disks", "until": "x"})
    assert said == "maintenance.until: there is no such field; there are: ends_at, reason"
    said = await change(service, maintenance={"reason": "disks", "ends_at": "2026-11-23T12:00:00"})
    assert said == "maintenance.ends_at: write a moment with its time zone, such as 2026-12-01T06:00:00Z"


@pytest.mark.parametrize("name", ["discover", "history"])
async def test_a_name_that_is_a_word_of_the_paths_is_refused(service: Service, name: str) -> None:
    said = await create(service, name=name)
    assert said == f"name: {name!r} is a word of the API's own paths; take another"


def catalog(service: Service, monkeypatch: pytest.MonkeyPatch, *pairs: tuple[str, str]) -> None:
    """What an examination of a catalog gives: (our name, the catalog's)."""

    async def found(*_arguments: object) -> list[Any]:
        endpoints = [Endpoint("compute", "compute", "http://c")]
        return [(Region(name, theirs, "lab"), endpoints) for name, theirs in pairs]

    monkeypatch.setattr(service.assembly.regions._examiner, "catalog_regions", found)


async def test_of_two_catalog_regions_with_one_clean_name_the_second_is_reported(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog(service, monkeypatch, ("a-b", "a b"), ("a-b", "a/b"), ("c", "c"))
    first = (await service.call("POST", "/v1/regions/discover", "operator", {"credential": "lab"})).json
    again = (await service.call("POST", "/v1/regions/discover", "operator", {"credential": "lab"})).json

    assert [item["region_name"] for item in first["created"]] == ["a b", "c"]
    reason = "the name 'a-b' belongs to the region 'a b' of a catalog; register this one by hand"
    assert first["skipped"] == again["skipped"] == [{"region_name": "a/b", "reason": reason}]
    assert (again["created"], again["existing"]) == ([], ["a-b", "c"])


async def test_an_end_of_maintenance_that_is_over_is_refused(service: Service, clock: FixedClock) -> None:
    await service.add("RegionTwo")
    said = await change(service, maintenance={"reason": "disks", "ends_at": clock.now().isoformat()})
    assert said == "maintenance.ends_at: 2026-11-22T12:00:00Z is over; write a moment to come"
    later = (clock.now() + timedelta(seconds=1)).isoformat()
    body = {"generation": 1, "maintenance": {"reason": "disks", "ends_at": later}}
    assert (await service.call("PATCH", "/v1/regions/RegionTwo", "operator", body)).status == 200


@pytest.mark.parametrize(
    "url",
    ["https://root:secret@h/", "https://root@h/", "ftp://h/", "javascript:alert(1)", "h", "https://", "", 1],
)
async def test_a_dashboard_is_a_plain_web_address(service: Service, url: Any) -> None:
    await service.add("RegionTwo")
    assert (await create(service, dashboard_url=url)).startswith("dashboard_url: write ")
    assert (await change(service, dashboard_url=url)).startswith("dashboard_url: write ")
    assert "secret" not in await create(service, dashboard_url=url)


@pytest.mark.parametrize("char", "\n\t\x00\x85\u202e\u200b\ufeff\u2028\u3164")
async def test_characters_that_nobody_sees_are_refused(service: Service, char: str) -> None:
    await service.add("RegionTwo")
    text = f"a{char}b"
    sentence = f"it holds the invisible character U+{ord(char):04X}; write plain text"
    assert await create(service, credential=text) == f"credential: {sentence}"
    assert await create(service, region_name=text) == f"region_name: {sentence}"
    assert (await create(service, labels={text: "x"})).endswith(sentence)
    assert (await create(service, labels={"x": text})) == f"labels.x: {sentence}"
    assert await change(service, maintenance={"reason": text}) == f"maintenance.reason: {sentence}"


async def test_letters_of_all_languages_are_plain_text(service: Service) -> None:
    body = NEW | {"labels": {"sted": "Tromsø", "都市": "東京 🦊"}}
    assert (await service.call("POST", REGIONS, "operator", body)).status == 201


async def test_a_credential_that_is_no_entry_is_named(service: Service) -> None:
    await service.add("RegionTwo")
    for said in (await create(service, credential="gone"), await change(service, credential="gone")):
        assert said.startswith("credential: ")
        assert "has no entry 'gone'; it has: c, lab, lab-admin, other, secret-entry" in said
    assert [region.name for region in await service.store.select()] == ["RegionTwo"]


async def test_clouds_that_cannot_be_read_are_told(service: Service) -> None:
    file = service.assembly.settings.regions.clouds_file
    assert file
    file.write_text("clouds: [", encoding="utf-8")
    assert f"{file} cannot be read" in await create(service)
    file.unlink()
    assert f"{file} cannot be read" in await create(service)


async def test_a_trailing_slash_leads_nowhere(service: Service) -> None:
    assert await refused(service, 404, "GET", "/v1/regions/") == "there is nothing at /v1/regions/"


async def test_links_follow_the_host_unless_there_is_a_public_address(service: Service) -> None:
    async def links(path: str) -> list[str]:
        document = (await service.call("GET", path, None, headers={"host": "evil.example"})).json
        version = document["version"] if "version" in document else document["versions"][0]
        return [link["href"] for link in version["links"]]

    assert await links("/v1") == ["http://evil.example/v1", "http://evil.example/openapi.json"]
    service.app.state.public_url = "https://cloud.example/multisite"
    for path in ("/", "/v1"):
        assert await links(path) == [
            "https://cloud.example/multisite/v1",
            "https://cloud.example/multisite/openapi.json",
        ]
