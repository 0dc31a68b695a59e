"""`/healthcheck`: is this process able to do its work?"""

from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

from multisite.errors import DatabaseAway


async def healthcheck(request: Request) -> JSONResponse:
    """200 when the database answers and the sweep's loop runs; Keystone is told, but not required."""
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
    }
    return JSONResponse(body, status_code=200 if ok else 503)
