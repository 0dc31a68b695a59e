"""How OpenStackClient finds multisite.

`openstack` imports this module for every command of every service, so it imports nothing of weight. The
functions and constants have the names that OpenStackClient looks for; its client manager calls
`make_client` once, when a multisite command first asks for `client_manager.multisite`.

`--os-multisite-endpoint-override` needs no handling here: OpenStackClient merges global options over the
clouds.yaml entry, so option, environment and clouds.yaml all end up as `multisite_endpoint_override` of
the one configuration that `endpoint.py` reads.
"""

import argparse
from typing import Any

from osc_lib import utils

API_NAME = "multisite"
API_VERSION_OPTION = "os_multisite_api_version"
DEFAULT_API_VERSION = "1"
API_VERSIONS = ("1", "1.0")


def make_client(manager: Any) -> Any:
    """The proxy of the connection that OpenStackClient made from the user's options."""
    from osc_multisite import sdk  # every other `openstack` command does without it

    sdk.register(manager.sdk_connection)
    return manager.sdk_connection.multisite


def build_option_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Add the global options of this plugin."""
    parser.add_argument(
        "--os-multisite-api-version",
        metavar="<multisite-api-version>",
        default=utils.env("OS_MULTISITE_API_VERSION"),
        help=f"multisite API version, default={DEFAULT_API_VERSION} (Env: OS_MULTISITE_API_VERSION)",
    )
    parser.add_argument(
        "--os-multisite-endpoint-override",
        metavar="<url>",
        default=utils.env("OS_MULTISITE_ENDPOINT_OVERRIDE"),
        help=(
            "Where the multisite service is, instead of what the catalog says "
            "(Env: OS_MULTISITE_ENDPOINT_OVERRIDE; clouds.yaml: multisite_endpoint_override)"
        ),
    )
    return parser
