"""`multisite serve`: uvicorn around the application, in one process or, with `workers.py`, in several.

Live views of the page never end by themselves, and uvicorn waits for open connections when it stops; so
they are closed first. /metrics listens on an address of its own; that of worker k on a port that
is k higher.
"""

import asyncio
import logging
import signal
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
from multisite.db.alone import alone_on_file
from multisite.db.engine import parse_url
from multisite.errors import ConfigurationError
from multisite.garbage import look_seldom
from multisite.heads import PunctualProtocol
from multisite.metrics import create_metrics_app
from multisite.settings import ApiSettings, Settings, load
from multisite.workers import Workers

LOG = logging.getLogger(__name__)

#: Seconds that requests under way get when the service stops.
GRACE = 10
#: Seconds that a worker gets beyond that, to give its regions up and to close its connections.
PATIENCE = 5

_ONE_PROCESS = (
    "SQLite serves one process; for several set [database] connection to postgresql://USER:PASSWORD@HOST/NAME"
)


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


def serve(files: Sequence[Path] | None = None, workers: int = 1) -> int:
    """Run until a signal, in one process or more. Raises `MultisiteError` when the service cannot start."""
    settings = load(files=files)
    _set_up_log(settings)
    if workers > 1 and parse_url(settings.database).get_backend_name() == "sqlite":
        raise ConfigurationError(f"--workers {workers}: {_ONE_PROCESS}")
    schema.check(settings.database)
    if not settings.home_auth_url:
        raise ConfigurationError(
            "[keystone_authtoken] www_authenticate_uri is not set; it names the home Keystone, such as "
            "https://keystone.example:5000/v3"
        )
    with ExitStack() as listeners:
        listeners.enter_context(alone_on_file(settings.database, _ONE_PROCESS))
        listener = listeners.enter_context(_listen("api", settings.api.host, settings.api.port))
        metrics = [
            listeners.enter_context(_listen("metrics", settings.metrics.host, settings.metrics.port + number))
            for number in range(workers if settings.metrics.port else 0)
        ]
        if workers == 1:
            return _serve(settings, listener, metrics[0] if metrics else None)

        def worker(number: int, parent: int) -> int:
            return _serve(settings, listener, metrics[number] if metrics else None, parent)

        return Workers(worker, workers, GRACE + PATIENCE).serve()


def _serve(
    settings: Settings, listener: socket.socket, metrics: socket.socket | None, parent: int | None = None
) -> int:
    """Be one process of the service. `parent` is a file descriptor that ends when we have to."""
    assembly = assemble(settings)
    app = create_app(assembly)
    server = Server(_config(settings.api, app), app)
    beside = (create_metrics_app(assembly, settings.metrics.token_file), metrics) if metrics else None
    look_seldom()
    asyncio.run(_run(server, listener, beside, parent))
    return 0 if server.started else 1


async def _run(
    server: Server,
    listener: socket.socket,
    beside: tuple[Starlette, socket.socket] | None,
    parent: int | None,
) -> None:
    if parent is not None:
        _end_with(parent)
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


def _end_with(parent: int) -> None:
    """End as if a signal had come when the process at the other end of this pipe is gone."""
    loop = asyncio.get_running_loop()

    def gone() -> None:
        loop.remove_reader(parent)
        LOG.warning("the parent of this worker is gone")
        signal.raise_signal(signal.SIGTERM)

    loop.add_reader(parent, gone)


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
