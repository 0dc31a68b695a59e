"""`multisite serve`: uvicorn around the application.

Live views of the page never end by themselves, and uvicorn waits for open connections when it stops; so
they are closed first. /metrics listens on an address of its own.
"""

import asyncio
import logging
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.applications import Starlette

from multisite.api.app import create_app
from multisite.assembly import assemble
from multisite.db import schema
from multisite.errors import ConfigurationError
from multisite.garbage import look_seldom
from multisite.heads import PunctualProtocol
from multisite.metrics import create_metrics_app
from multisite.settings import ApiSettings, Settings, load

LOG = logging.getLogger(__name__)

#: Seconds that requests under way get when the service stops.
GRACE = 10


class Server(uvicorn.Server):
    """uvicorn, which closes the live views before it waits for connections."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop: live views first, then as uvicorn does."""
        pages = self._app.state.pages
        if pages:
            await pages.close()
        await super().shutdown(sockets)


class QuietServer(uvicorn.Server):
    """uvicorn beside another one, to which it leaves the signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def serve(files: Sequence[Path] | None = None) -> int:
    """Run until a signal. Raises `MultisiteError` when the service cannot start."""
    settings = load(files=files)
    _set_up_log(settings)
    schema.check(settings.database)
    if not settings.home_auth_url:
        raise ConfigurationError(
            "[keystone_authtoken] www_authenticate_uri is not set; it names the home Keystone, such as "
            "https://keystone.example:5000/v3"
        )
    with ExitStack() as listeners:
        listener = listeners.enter_context(_listen("api", settings.api.host, settings.api.port))
        assembly = assemble(settings)
        app = create_app(assembly)
        server = Server(_config(settings.api, app), app)
        beside = None
        if settings.metrics.port:
            metrics = create_metrics_app(assembly, settings.metrics.token_file)
            where = _listen("metrics", settings.metrics.host, settings.metrics.port)
            beside = (metrics, listeners.enter_context(where))
        look_seldom()
        asyncio.run(_run(server, listener, beside))
    return 0 if server.started else 1


async def _run(
    server: Server, listener: socket.socket, beside: tuple[Starlette, socket.socket] | None
) -> None:
    if beside is None:
        await server.serve(sockets=[listener])
        return
    app, socket_ = beside
    config = uvicorn.Config(
        app, http=PunctualProtocol, log_config=None, access_log=False, lifespan="off", server_header=False
    )
    metrics = QuietServer(config)
    task = asyncio.create_task(metrics.serve(sockets=[socket_]))
    try:
        await server.serve(sockets=[listener])
    finally:
        metrics.should_exit = True
        await task


def _set_up_log(settings: Settings) -> None:
    from oslo_log import log

    log.setup(settings.oslo, "multisite")
    for noisy in ("alembic", "keystonemiddleware", "keystoneauth", "aiosqlite", "sse_starlette", "stevedore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _listen(section: str, host: str, port: int) -> socket.socket:
    """Bind first: a port that is taken is one sentence, before anything else starts."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where the protocol is named; it would cost 40 ms an answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise ConfigurationError(
            f"cannot listen on {host}:{port}: {error.strerror}; change [{section}] host or port"
        ) from error
    listener.set_inheritable(True)
    return listener


def _config(api: ApiSettings, app: FastAPI) -> uvicorn.Config:
    scheme = "https" if api.certificate_file else "http"
    LOG.info("multisite answers at %s://%s:%d%s/", scheme, api.host, api.port, api.root_path)
    try:
        config = uvicorn.Config(
            app,
            http=PunctualProtocol,
            log_config=None,
            access_log=False,
            root_path=api.root_path,
            proxy_headers=True,
            forwarded_allow_ips=api.forwarded_allow_ips,
            server_header=False,
            timeout_graceful_shutdown=GRACE,
            ssl_certfile=str(api.certificate_file) if api.certificate_file else None,
            ssl_keyfile=str(api.key_file) if api.key_file else None,
        )
        config.load()
    except OSError as error:
        raise ConfigurationError(f"[api] certificate_file and key_file cannot be used: {error}") from error
    return config
