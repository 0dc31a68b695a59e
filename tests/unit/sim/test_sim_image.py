"""Simulated Glance: who sees which image, members, data that are counted, patches, pages."""

from typing import Any

from tests.unit.sim.conftest import SimulatedCloud

GLANCE = "/one/image/v2"
OWNER, FRIEND = "project-001", "project-002"
PATCH = {"Content_Type": "application/openstack-images-v2.1-json-patch"}


def make(cloud: SimulatedCloud, **values: Any) -> Any:
    body = {"name": "mine", "disk_format": "raw", "container_format": "bare"} | values
    return cloud.send("POST", f"{GLANCE}/images", body, user=OWNER, status=201)


def names(cloud: SimulatedCloud, query: str, user: str) -> list[str]:
    return [image["name"] for image in cloud.ask(f"{GLANCE}/images?limit=100&{query}", user=user)["images"]]


def patch(cloud: SimulatedCloud, image: Any, *changes: dict[str, Any], status: int = 200) -> Any:
    path = f"{GLANCE}/images/{image['id']}"
    return cloud.send("PATCH", path, list(changes), user=OWNER, status=status, **PATCH)


def test_data_are_counted_and_hashed_and_taken_once(cloud: SimulatedCloud) -> None:
    image = make(cloud)
    assert (image["status"], image["size"], image["visibility"]) == ("queued", None, "shared")
    path, octets = f"{GLANCE}/images/{image['id']}/file", {"Content_Type": "application/octet-stream"}
    cloud.send("PUT", path, b"x" * 1000, user=OWNER, status=204, **octets)
    cloud.send("PUT", path, b"x" * 1000, user=OWNER, status=409, **octets)
    cloud.send("PUT", path, {}, user=OWNER, status=415)
    held = cloud.ask(f"{GLANCE}/images/{image['id']}", user=OWNER)
    assert (held["status"], held["size"], held["stores"]) == ("active", 1000, "file")
    assert held["checksum"] == "398533d48111e9f664b1f64cb10c4b63"  # what a real Glance said of these bytes


def test_a_shared_image_is_listed_for_a_member_that_accepted_it(cloud: SimulatedCloud) -> None:
    image = make(cloud)
    path, friend = f"{GLANCE}/images/{image['id']}", cloud.project_id(FRIEND)
    cloud.ask(path, user=FRIEND, status=404)
    cloud.send("POST", f"{path}/members", {"member": friend}, user=OWNER, status=200)
    cloud.ask(path, user=FRIEND)
    assert "mine" not in names(cloud, "", FRIEND)
    assert "mine" in names(cloud, "visibility=shared&member_status=pending", FRIEND)
    accept = {"status": "accepted"}
    cloud.send("PUT", f"{path}/members/{friend}", accept, user=OWNER, status=403)
    cloud.send("PUT", f"{path}/members/{friend}", accept, user=FRIEND, status=200)
    assert "mine" in names(cloud, "", FRIEND)
    cloud.send("DELETE", path, user=FRIEND, status=403)


def test_community_and_hidden_images_are_listed_for_who_asks_for_them(cloud: SimulatedCloud) -> None:
    image = make(cloud, visibility="community")
    assert "mine" not in names(cloud, "", FRIEND)
    assert "mine" in names(cloud, "visibility=community", FRIEND)
    patch(cloud, image, {"op": "replace", "path": "/os_hidden", "value": True})
    assert "mine" not in names(cloud, "", OWNER)
    assert "mine" in names(cloud, "os_hidden=true", OWNER)


def test_private_images_of_others_are_not_there(cloud: SimulatedCloud) -> None:
    image = make(cloud, visibility="private")
    cloud.ask(f"{GLANCE}/images/{image['id']}", user=FRIEND, status=404)
    assert "mine" in names(cloud, "visibility=all", "admin")
    cloud.send("POST", f"{GLANCE}/images", {"visibility": "public"}, user=OWNER, status=403)


def test_a_patch_is_made_whole_or_not_at_all(cloud: SimulatedCloud) -> None:
    image = make(cloud)
    rename = {"op": "replace", "path": "/name", "value": "other"}
    patch(cloud, image, rename, {"op": "remove", "path": "/nothing"}, status=409)
    patch(cloud, image, rename, {"op": "replace", "path": "/size", "value": 1}, status=403)
    assert cloud.ask(f"{GLANCE}/images/{image['id']}", user=OWNER)["name"] == "mine"
    assert patch(cloud, image, rename, {"op": "add", "path": "/purpose", "value": "x"})["purpose"] == "x"


def test_a_protected_image_stays(cloud: SimulatedCloud) -> None:
    image = make(cloud, protected=True)
    cloud.send("DELETE", f"{GLANCE}/images/{image['id']}", user=OWNER, status=403)
    patch(cloud, image, {"op": "replace", "path": "/protected", "value": False})
    cloud.send("DELETE", f"{GLANCE}/images/{image['id']}", user=OWNER, status=204)
    cloud.ask(f"{GLANCE}/images/{image['id']}", user=OWNER, status=404)


def test_what_changed_is_found_by_its_time(cloud: SimulatedCloud) -> None:
    make(cloud)
    assert names(cloud, "visibility=all&updated_at=gte:2026-12-01T00:00:00Z", "admin") == ["mine"]
    cloud.ask(f"{GLANCE}/images?updated_at=gte:yesterday", status=400)


def test_pages_hold_each_image_once(cloud: SimulatedCloud) -> None:
    seen: list[str] = []
    path = "/v2/images?limit=1&visibility=all"
    while path:
        page = cloud.ask(f"/one/image{path}")
        seen += [image["id"] for image in page["images"]]
        path = page.get("next", "")
    assert len(seen) == len(set(seen)) == len(names(cloud, "visibility=all", "admin"))
    cloud.ask(f"{GLANCE}/images?marker=nothing", status=400)


def test_errors_are_json_for_who_asks_for_it_and_a_page_otherwise(cloud: SimulatedCloud) -> None:
    page = cloud.call("GET", f"{GLANCE}/images/nothing", token=cloud.token(), Accept="*/*")
    assert page.headers["content-type"].startswith("text/html")
    error = cloud.ask(f"{GLANCE}/images/nothing", status=404)
    assert (error["code"], error["title"]) == ("404 Not Found", "Not Found")
