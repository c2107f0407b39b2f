"""The server process: ports checked before anything starts, everything ended in order when it is told to stop."""

import socket

import structlog
import uvicorn

from center.app import create_app
from center.broker import port_is_free, wait_for_port
from center.county.seeding import seed
from center.errors import PortInUse
from center.office import Office
from center.schema import migrate
from center.settings import Settings

GRACE_S = 3

log = structlog.get_logger()


def serve(settings: Settings, *, seed_demo_county: bool = False) -> None:
    """Serve until SIGTERM or SIGINT. Raises CenterError for what keeps the centre from starting."""
    check_ports(settings)
    app = create_app(settings)
    if seed_demo_county:
        register_county(app.state.office)
    web = settings.web
    config = uvicorn.Config(
        app,
        host=web.host,
        port=web.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        lifespan="on",
    )
    server = _Server(config)
    server.run()
    if not server.started:
        raise PortInUse("the centre did not start; the log above says why")


class _Server(uvicorn.Server):
    """Says when people and boxes may come."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            log.info("centre_open", web=f"http://{self.config.host}:{self.config.port}")


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
