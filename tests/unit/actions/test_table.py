"""The table of actions: names, rules, paths, the lines to paste."""

import shlex

import pytest

from multisite.actions.bodies import FloatingIPAssociate, ServerCreate, VolumeCreate
from multisite.actions.lines import NOUNS, VERBS, line
from multisite.actions.model import Deed, digest
from multisite.actions.table import ACTIONS, BY_NAME
from multisite.inventory.kinds import BY_PLURAL
from multisite.openstack.users import UserToken
from multisite.regions.model import Identity, Region
from multisite.requester import Requester

HOME = Region("north", "RegionOne", "c")
WHO = Requester("u", "user", "Default", "p", "alpha", "Default", frozenset({"member"}))


def deed(kind: str, name: str, item_id: str = "", body: object = None) -> Deed:
    return Deed(WHO, UserToken("t"), HOME, BY_NAME[kind, name], item_id, body)


def test_every_action_is_of_a_kind_that_the_inventory_has() -> None:
    assert {action.kind for action in ACTIONS} <= set(BY_PLURAL)
    assert set(NOUNS) == set(VERBS) == set(BY_PLURAL)


def test_rules_and_routes_are_there_once() -> None:
    assert len({action.rule for action in ACTIONS}) == len(ACTIONS)
    assert len({(action.method, action.path) for action in ACTIONS}) == len(ACTIONS)
    assert BY_NAME["floating-ips", "associate"].rule == "multisite:floating_ip:associate"


def test_what_we_do_is_not_said_to_be_done_elsewhere() -> None:
    for action in ACTIONS:
        assert action.name not in VERBS[action.kind]


CREATE = ServerCreate.model_validate(
    {
        "region": "north", "name": "a b", "image_id": "i", "flavor_id": "m1", "network_ids": ["n1", "n2"],
        "key_name": "k", "security_groups": ["s"], "availability_zone": "z", "volume_size": 9,
    }
)  # fmt: skip
VOLUME = VolumeCreate(
    region="north", name="v", size=3, volume_type="ssd", image_id="i", availability_zone="z"
)


@pytest.mark.parametrize(
    ("made", "wanted"),
    [
        (deed("servers", "stop", "s1"), "server stop s1"),
        (deed("servers", "confirm-resize", "s1"), "server resize confirm s1"),
        (
            deed("servers", "create", body=CREATE),
            (
                "server create --image i --flavor m1 --network n1 --network n2 --security-group s "
                "--key-name k --availability-zone z --boot-from-volume 9 'a b'"
            ),
        ),
        (
            deed("volumes", "create", body=VOLUME),
            "volume create --size 3 --type ssd --image i --availability-zone z v",
        ),
        (deed("volumes", "delete", "v1"), "volume delete v1"),
        (
            deed("floating-ips", "associate", "f1", FloatingIPAssociate(server_id="s1")),
            "server add floating ip s1 f1",
        ),
        (
            deed("floating-ips", "associate", "f1", FloatingIPAssociate(port_id="p1")),
            "floating ip set --port p1 f1",
        ),
        (deed("floating-ips", "disassociate", "f1"), "floating ip unset --port f1"),
    ],
)
def test_each_action_has_its_line(made: Deed, wanted: str) -> None:
    assert line(HOME, made.action.line(made)) == f"openstack --os-region-name RegionOne {wanted}"


def test_a_line_for_a_region_with_its_own_keystone_names_an_entry() -> None:
    own = Region("north", "Region One", "c", identity=Identity.OWN)
    words = shlex.split(line(own, ["server", "stop", "a;b"]))
    assert words[1:5] == ["--os-cloud", "YOUR-ENTRY-FOR-north", "--os-region-name", "Region One"]
    assert words[-1] == "a;b"


def test_the_mark_tells_requests_apart() -> None:
    first = deed("servers", "create", body=CREATE).marked("k")
    other = deed("servers", "create", body=CREATE.model_copy(update={"flavor_id": "m2"})).marked("k")
    assert first.mark == f"k {digest(first.asked)}"
    assert first.mark != other.mark
    assert len(first.mark) < 255
    assert "'t'" not in repr(first)
