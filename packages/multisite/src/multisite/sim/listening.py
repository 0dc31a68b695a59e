"""The simulator on sockets: one for all regions, or one for each, which can be closed and opened again.

uvicorn's protocol does the HTTP; what is added is that a fault can cut a connection.
"""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from multisite.sim.app import Simulator
from multisite.sim.faults import Fault
from multisite.sim.load import move
from multisite.sim.misbehaving import ABORT
from multisite.sim.plan import Plan

BACKLOG = 2048


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol, which lets the program cut the connection."""

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        extensions: dict[str, Any] = {ABORT: self._cut}
        self.scope["extensions"] = extensions

    def _cut(self) -> None:
        """Reset the connection: what waits to be sent is lost, as when a host falls over."""
        peer = self.transport.get_extra_info("socket")
        if peer is not None:
            linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"  # on, for 0 seconds: the end is a reset
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.transport.abort()

    @property
    def port(self) -> int:
        """The port that this connection came in by."""
        return int(self.server[1] or 0) if self.server else 0


LARGEST_PORT = 65535


@dataclass(slots=True)
class Sockets:
    """Bound, and not yet listening: the one of all, and those of regions with ports of their own."""

    shared: socket.socket
    own: dict[str, socket.socket] = field(default_factory=dict)


def bind(
    plan: Plan, host: str = "127.0.0.1", port: int = 0, *, own_ports: bool = False
) -> tuple[Plan, Sockets]:
    """Take the ports; the plan that is given back names them. Port 0 takes any. Raises `OSError`."""
    shared = _socket(host, port)
    own: dict[str, socket.socket] = {}
    if own_ports:
        for number, name in enumerate(plan.region_names(), 1):
            own[name] = _socket(host, port + number if port else 0)
    return replace(plan, url=_url(shared), region_urls=tuple(map(_url, own.values()))), Sockets(shared, own)


def _socket(host: str, port: int) -> socket.socket:
    if not 0 <= port <= LARGEST_PORT:
        raise OSError(f"port {port}: write a number from 0 to {LARGEST_PORT}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where the protocol is named.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise OSError(f"port {port} of {host}: {error.strerror}") from error
    return bound


def _url(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Listener:
    """A simulator that answers on its sockets; lives on one event loop."""

    def __init__(self, simulator: Simulator, sockets: Sockets) -> None:
        self.simulator = simulator
        self._sockets = sockets
        self._state = ServerState()
        self._config = uvicorn.Config(
            simulator, log_config=None, access_log=False, lifespan="off", timeout_keep_alive=75
        )
        self._servers: dict[str, asyncio.Server] = {}
        self._addresses = {name: bound.getsockname()[:2] for name, bound in sockets.own.items()}
        simulator.faults.changed = self._follow

    async def open(self) -> None:
        """Begin to answer."""
        self._config.load()
        await self._listen("", self._sockets.shared)
        for name, bound in self._sockets.own.items():
            await self._listen(name, bound)

    async def close(self) -> None:
        """End all connections."""
        for server in self._servers.values():
            server.close()
        for connection in list(self._state.connections):
            connection.transport.abort()
        tasks = list(self._state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self, name: str, bound: socket.socket) -> None:
        def protocol() -> Protocol:
            return Protocol(config=self._config, server_state=self._state, app_state={})

        loop = asyncio.get_running_loop()
        self._servers[name] = await loop.create_server(protocol, sock=bound, backlog=BACKLOG)

    def _follow(self, faults: list[Fault]) -> None:
        """Close the ports of regions that refuse everything, and open those that do no longer."""
        for name, address in self._addresses.items():
            refuses = any(_refuses(fault, name) for fault in faults)
            if refuses and name in self._servers:
                self._servers.pop(name).close()
                for connection in list(self._state.connections):
                    if isinstance(connection, Protocol) and connection.port == address[1]:
                        connection.transport.abort()
            elif not refuses and name not in self._servers:
                again = asyncio.ensure_future(self._listen(name, _socket(*address)))
                self._state.tasks.add(again)
                again.add_done_callback(self._state.tasks.discard)


def _refuses(fault: Fault, region: str) -> bool:
    whole = (
        fault.service == "*"
        and fault.route == "*"
        and fault.share == 1
        and not fault.calls
        and not fault.lasts
    )
    return fault.kind == "refuse" and whole and fault.fits(region, "", "")


async def serve(plan: Plan, sockets: Sockets, faults: list[Fault], *, load: float = 0.0) -> None:
    """Answer until cancelled; `load` is how often something changes in each region, per second."""
    simulator = Simulator(plan)
    listener = Listener(simulator, sockets)
    await listener.open()
    for fault in faults:
        simulator.faults.add(fault)
    try:
        await (move(simulator, load) if load > 0 else asyncio.Event().wait())
    finally:
        await listener.close()


@dataclass(slots=True)
class Running:
    """A simulator in a thread of its own. Steer it with `set` and `clear`, or over HTTP."""

    simulator: Simulator
    url: str
    _loop: asyncio.AbstractEventLoop

    @property
    def auth_url(self) -> str:
        """The Keystone of the first region."""
        return self.simulator.world.auth_url(self.simulator.world.names[0])

    def set(self, kind: str, **values: Any) -> Fault:
        """Set a fault; it holds when this returns."""
        fault = Fault(kind, **values)
        self.run(lambda: self.simulator.faults.add(fault))
        return fault

    def clear(self, fault: Fault | None = None) -> None:
        """Take back one fault, or all."""
        self.run(lambda: self.simulator.faults.remove(fault.id if fault else None))

    def run(self, work: Any) -> Any:
        """Call a function on the simulator's loop, where its state lives, and give its result back."""

        async def call() -> Any:
            return work()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(10)


@contextmanager
def running(plan: Plan | None = None, *, port: int = 0, own_ports: bool = False) -> Iterator[Running]:
    """A simulator that answers over a socket as long as the block lasts."""
    plan, sockets = bind(plan or Plan(), port=port, own_ports=own_ports)
    simulator = Simulator(plan)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="simulator", daemon=True)
    thread.start()
    listener = asyncio.run_coroutine_threadsafe(_open(simulator, sockets), loop).result(10)
    try:
        yield Running(simulator, plan.url, loop)
    finally:
        asyncio.run_coroutine_threadsafe(listener.close(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _open(simulator: Simulator, sockets: Sockets) -> Listener:
    listener = Listener(simulator, sockets)
    await listener.open()
    return listener
