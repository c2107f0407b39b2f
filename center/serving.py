"""The server process: ports checked before anything starts, everything ended in order when it is told to stop."""

import signal
import socket

import structlog
import uvicorn
from sse_starlette.sse import AppStatus

from center import garbage
from center.app import create_app
from center.boxes.certificates import keep_server_pair, server_names
from center.broker import port_is_free, wait_for_port
from center.county.seeding import seed
from center.errors import PortInUse
from center.office import Office
from center.schema import migrate
from center.settings import Settings

GRACE_S = 3
RENEWAL_TICKS = 36_000
"""Ticks of a tenth of a second: an hour."""

log = structlog.get_logger()


def serve(settings: Settings, *, seed_demo_county: bool = False) -> None:
    """Serve until SIGTERM or SIGINT. Raises CenterError for what keeps the centre from starting."""
    check_ports(settings)
    app = create_app(settings)
    if seed_demo_county:
        register_county(app.state.office)
    web, pair = settings.web, None
    if web.tls:
        pair, _ = keep_server_pair(settings, app.state.office.keyring.authority, app.state.office.now())
    config = uvicorn.Config(
        app,
        host=web.host,
        port=web.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        lifespan="on",
        ssl_certfile=pair,
    )
    AppStatus.enable_automatic_graceful_drain = False  # it would cut streams; the hub lets them end
    server = _Server(config, app.state.office)
    for told_to_stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(told_to_stop, lambda *_: None)  # uvicorn takes over, and raises the signal again at its end
    server.run()
    if not server.started:
        raise PortInUse("the centre did not start; the log above says why")


class _Server(uvicorn.Server):
    """Says when people and boxes may come, renews its certificate, lets open pages end before it waits for them."""

    def __init__(self, config: uvicorn.Config, office: Office) -> None:
        super().__init__(config)
        self._office = office
        self._certificate = b""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            garbage.settle()
            log.info(
                "centre_open",
                web=f"{'https' if self.config.is_ssl else 'http'}://{self.config.host}:{self.config.port}",
            )

    async def on_tick(self, counter: int) -> bool:
        if self.config.ssl is not None and counter % RENEWAL_TICKS == 0:
            office = self._office
            pair, _ = keep_server_pair(office.settings, office.keyring.authority, office.now())
            certificate = pair.read_bytes()
            if certificate != self._certificate:
                self._certificate = certificate
                self.config.ssl.load_cert_chain(pair)
                log.info("certificate_shown", names=server_names(office.settings))
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._office.hub.close()
        await super().shutdown(sockets)


def check_ports(settings: Settings) -> None:
    """Raises PortInUse with what to do about it."""
    web, mqtt = settings.web, settings.mqtt
    if not port_is_free(web.host, web.port):
        raise PortInUse(
            f"port {web.port} on {web.host} is in use by another program; choose another with --port or web.port"
        )
    if mqtt.embedded:
        if web.port == mqtt.port:
            raise PortInUse(f"pages and broker cannot share port {web.port}; choose another with --mqtt-port")
        wait_for_port(mqtt.host, mqtt.port)


def register_county(office: Office) -> None:
    """The fictional demo county, once."""
    migrate(office.database)
    with office.database.writing() as session:
        seed(session, tenant=office.settings.tenant, now=office.now())
