"""`/healthcheck`: is this process able to do its work?"""

from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

from multisite.errors import DatabaseAway


async def healthcheck(request: Request) -> JSONResponse:
    """200 when the database answers and the sweep's loop runs; Keystone is told, but not required.

    A database that cannot be written still answers: then it is `degraded`, and says why. `regions` are those
    that this process sweeps.
    """
    state = request.app.state
    try:
        await state.regions.views()
        database = "ok"
    except DatabaseAway:
        database = "unavailable"
    sweep = state.sweep_status()
    ok = database == "ok" and sweep != "stopped"
    body: dict[str, Any] = {
        "status": "ok" if ok else "error",
        "database": database,
        "keystone": "ok" if await state.home.alive() else "unavailable",
        "sweep": sweep,
        "regions": state.sweep_regions(),
    }
    trouble = state.database_trouble()
    if ok and trouble:
        body["status"], body["database"] = "degraded", "read-only"
        body["detail"] = f"Nothing can be written to the database: {trouble}. Reading goes on."
    return JSONResponse(body, status_code=200 if ok else 503)
