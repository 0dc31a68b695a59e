"""Who asks: the identity behind a request, as keystonemiddleware vouched for it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Requester:
    """A user with a token scoped to a project or to the system.

    `project_id` is `None` for system scope. Roles are lower case, implied roles included.
    `expires_at` is when the token ends (aware, UTC).
    """

    user_id: str
    user_name: str
    user_domain_name: str | None
    project_id: str | None
    project_name: str | None
    project_domain_name: str | None
    roles: frozenset[str]
    system_scope: bool = False
    expires_at: datetime | None = None
    request_id: str = ""

    @property
    def operator(self) -> bool:
        """Role `admin`, in any project or in the system; what an operator may do, policies decide."""
        return "admin" in self.roles

    @property
    def operator_reader(self) -> bool:
        """May see what operators see: an operator, or a system-scope reader."""
        return self.operator or (self.system_scope and "reader" in self.roles)
