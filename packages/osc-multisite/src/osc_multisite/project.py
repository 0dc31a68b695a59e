"""Which project a user means: an id, the token's own project, or a name that Keystone knows.

Members of a project may not look projects up, so the token is asked first: it names its own project. An
id goes to multisite as it is. Anything else is looked up in Keystone; when Keystone forbids that, the word
is taken for an id, as in other `openstack` commands.
"""

import argparse
import re
from typing import Any

from osc_lib import exceptions

#: Ids of projects as Keystone makes them: a UUID without dashes, or a SHA-256.
PROJECT_ID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{64}")


def add_project_domain(parser: argparse.ArgumentParser) -> None:
    """`--project-domain`, as other commands have it."""
    parser.add_argument(
        "--project-domain",
        metavar="<domain>",
        help="Domain of the project (name or ID), where projects of one name exist in several",
    )


def project_id(client_manager: Any, project: str | None, domain: str | None) -> str | None:
    """The id of a project given by name or id; `None` for the token's own.

    Raises:
        CommandError: Keystone has no such project, or several.
    """
    if project is None or PROJECT_ID.fullmatch(project):
        return project
    token = client_manager.auth_ref
    if token is None:
        return project
    if token.project_name == project and domain in {None, token.project_domain_name, token.project_domain_id}:
        return str(token.project_id)
    return _look_up(client_manager.sdk_connection.identity, project, domain)


def domain_id(client_manager: Any, domain: str) -> str:
    """The id of a domain given by name or id; the word itself where Keystone does not let it be looked up.

    Raises:
        CommandError: Keystone has no such domain.
    """
    from openstackclient.identity import common  # loaded by now, but not for `--help`

    try:
        return str(common.find_domain_id_sdk(client_manager.sdk_connection.identity, domain))
    except exceptions.CommandError as error:
        raise exceptions.CommandError(f"Keystone has no domain '{domain}'.") from error


def _look_up(identity: Any, project: str, domain: str | None) -> str:
    from openstack import exceptions as sdk_exceptions  # loaded by now, but not for `--help`
    from openstackclient.identity import common

    try:
        return str(common.find_project_id_sdk(identity, project, domain))
    except sdk_exceptions.DuplicateResource as error:
        raise exceptions.CommandError(
            f"Several projects are called '{project}': add --project-domain, or give the id."
        ) from error
    except exceptions.CommandError as error:
        where = (
            f" in the domain '{domain}': give its id" if domain else ": give its id, or add --project-domain"
        )
        raise exceptions.CommandError(f"Keystone has no project '{project}'{where}.") from error
