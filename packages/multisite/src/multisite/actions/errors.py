"""Why an action was not done, or may have been: each with a stable code."""

from multisite.errors import Conflict, MultisiteError, NotFound


class RegionOwnKeystone(Conflict):
    """The region has a Keystone of its own, which does not know the user's token."""

    code = "region-own-keystone"

    def __init__(self, region: str, hint: str) -> None:
        super().__init__(
            f"region {region!r} has a Keystone of its own, which does not know your token; "
            f"use your account there: {hint}"
        )
        self.hint = hint


class RegionDisabled(Conflict):
    """An operator has taken the region out of service."""

    code = "region-disabled"


class RegionLacksService(Conflict):
    """The region does not have the service that this needs."""

    code = "region-lacks-service"


class RegionRefused(MultisiteError):
    """The region refused; nothing was done."""

    code = "region-refused"
    status = 409

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class RegionUnavailable(MultisiteError):
    """The region cannot be reached now; nothing was done."""

    code = "region-unavailable"
    status = 503


class RegionFailed(MultisiteError):
    """The region answered with an error of its own; it may have been done, or a part of it."""

    code = "region-failed"
    status = 502


class AnswerMissing(MultisiteError):
    """The region did not answer; it may have been done."""

    code = "region-answer-lost"
    status = 504


class ActionInProgress(Conflict):
    """A request with the same Idempotency-Key is under way, or its answer was lost a moment ago."""

    code = "action-in-progress"


class KeyReused(Conflict):
    """The Idempotency-Key was used for something else."""

    code = "idempotency-key-reused"


class NotOffered(NotFound):
    """multisite does not do this; there is a command that does."""

    code = "not-offered"

    def __init__(self, detail: str, hint: str) -> None:
        super().__init__(f"{detail}; this does: {hint}")
        self.hint = hint
