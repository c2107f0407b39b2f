"""`teawatch edge`: run a box, check it before leaving it in the mountains, enrol it with its centre.

What needs video and networks is imported by the command that uses it: who enrols a box need not wait for it.
"""

import os
import re
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from alerts.enrolment import enrol as enrol_box
from alerts.errors import AlertsError, NotEnrolled
from edge.errors import ConfigError, EdgeError, NothingFound
from edge.settings import REFERENCES_FOLDER, Settings
from models.errors import ModelError, WrongModelFile
from streams.addresses import redacted
from streams.errors import RingTooLarge, StreamError

app = typer.Typer(help="The box beside the cameras.", no_args_is_help=True, add_completion=False)

ConfigFile = Annotated[Path, typer.Argument(help="What to watch: see edge/sample.yaml.")]
StateFolder = Annotated[
    Path | None, typer.Option("--state", help="Folder of this box's identity, outbox and evidence.", show_default=False)
]
UNMENDABLE = 78
"""Exit code for what trying again cannot mend (EX_CONFIG of sysexits.h): the service manager then lets the box rest."""

_ADDRESS_VARIABLE = "TEAWATCH_EDGE_PROBED"

MISTAKES = (ConfigError, NotEnrolled, RingTooLarge, WrongModelFile)
TROUBLE = (AlertsError, EdgeError, ModelError, StreamError, OSError)


@app.command()
def run(
    config: ConfigFile,
    state: StateFolder = None,
    *,
    json_log: Annotated[bool, typer.Option("--json-log", help="JSON log lines instead of the live console.")] = False,
    events: Annotated[bool, typer.Option("--events", help="One JSON event a line on standard output.")] = False,
    until_end: Annotated[
        bool, typer.Option("--until-end", help="End when every file has been watched; exit code 1 if one cannot be.")
    ] = False,
) -> None:
    """Watch the cameras, and report to the centre. Ctrl+C or SIGTERM ends it in good order; exit code 0."""
    from edge.composition import run_box  # noqa: PLC0415 - see above
    from edge.config import read_config  # noqa: PLC0415 - see above

    try:
        output = "events" if events else "log" if json_log else None
        run_box(read_config(config), _settings(state=state, output=output), until_end=until_end)
    except TROUBLE as error:
        _fail(error)


@app.command()
def check(config: ConfigFile, state: StateFolder = None) -> None:
    """Look at everything a box needs, and say what is wrong and what to do. Exit code 1 if something is."""
    from edge.check import check_box  # noqa: PLC0415 - see above

    try:
        fine = check_box(config, _settings(state=state), Console())
    except TROUBLE as error:
        _fail(error)
    raise typer.Exit(0 if fine else 1)


@app.command()
def enrol(
    center: Annotated[str, typer.Option("--center", help="Address of the centre, https://…")],
    code: Annotated[str, typer.Option("--code", help="One-time code from `teawatch center enrol`.")],
    state: StateFolder = None,
    name: Annotated[str, typer.Option("--name", help="What the technician calls this box.")] = "",
    *,
    allow_http: Annotated[bool, typer.Option("--allow-http", help="Accept a centre without https.")] = False,
) -> None:
    """Make this box's key, introduce it to the centre and remember the centre's key."""
    try:
        folder = _settings(state=state).state
        identity = enrol_box(center, code, folder, name, allow_http=allow_http)
    except TROUBLE as error:
        _fail(error)
    typer.echo(f"enrolled as {identity.device} of {identity.tenant}; the centre is {identity.center_url}")


@app.command("rotate-key")
def rotate_key(state: StateFolder = None) -> None:
    """Make this box a new key; the centre hears of it by a record that both keys sign. Works while the box runs too."""
    from edge.rekeying import rekey  # noqa: PLC0415 - see above

    try:
        key_id = rekey(_settings(state=state).state)
    except TROUBLE as error:
        _fail(error)
    typer.echo(f"this box signs with {key_id} from now on; the centre follows as soon as it is reached")


@app.command()
def discover(
    seconds: Annotated[float, typer.Option("--seconds", min=0.5, max=60, help="How long to listen for answers.")] = 4.0,
    interface: Annotated[
        list[str] | None,
        typer.Option("--interface", help="Own address to call from; by default every one.", show_default=False),
    ] = None,
    user: Annotated[
        str,
        typer.Option(
            "--user", help="Ask each camera for its streams as this user; password: CAMERA_PASSWORD, or typed."
        ),
    ] = "",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list, for programs.")] = False,
) -> None:
    """Find ONVIF cameras on the local network; with --user, print them ready for the box's configuration."""
    from edge.discover import Login, ask_cameras, find_cameras, local_addresses  # noqa: PLC0415 - see above
    from edge.discovery_text import as_json as json_of  # noqa: PLC0415 - see above
    from edge.discovery_text import as_list, as_yaml  # noqa: PLC0415 - see above

    try:
        found = find_cameras(interface or local_addresses(), seconds)
    except TROUBLE as error:
        _fail(error)
    asked = ask_cameras(found, Login(user, _camera_password(user))) if user and found else []
    typer.echo(json_of(found, asked) if as_json else as_yaml(asked) if asked else as_list(found), nl=False)
    if not found:
        _fail(NothingFound("no ONVIF camera answered: is ONVIF switched on in the camera, and is it in this network?"))
    if not user:
        typer.echo("add --user NAME to ask them for their streams", err=True)
    if asked and not any(each.streams for each in asked):
        raise typer.Exit(1)


def _with_variables(url: str) -> str:
    """An address whose login need not stand on the command line, which every process of the machine can read."""
    for name in re.findall(r"\$\{(\w+)\}", url):
        if name not in os.environ:
            _fail(EdgeError(f"the address names the environment variable {name}, which is not set"))
    return re.sub(r"\$\{(\w+)\}", lambda found: os.environ[found[1]], url)


def _take_off_command_line(url: str) -> None:
    """Begin again with an address that carries a secret in the environment, which nobody else can read."""
    if redacted(url) == url or url not in sys.orig_argv:
        return
    told = [f"${{{_ADDRESS_VARIABLE}}}" if each == url else each for each in sys.orig_argv[1:]]
    os.execve(sys.executable, [sys.executable, *told], {**os.environ, _ADDRESS_VARIABLE: _with_variables(url)})  # noqa: S606 - itself


def _camera_password(user: str) -> str:
    """From the environment or typed, never from the command line, which every process of the machine can read."""
    given = os.environ.get("CAMERA_PASSWORD")
    return typer.prompt(f"password of {user}", hide_input=True, err=True) if given is None else given


@app.command()
def probe(
    url: Annotated[
        str, typer.Argument(help="Address or file; ${NAME} is taken from the environment, as in the configuration.")
    ],
    transport: Annotated[str, typer.Option("--transport", help="What carries RTSP: tcp or udp.")] = "tcp",
    seconds: Annotated[float, typer.Option("--seconds", min=1, max=600, help="How long to listen.")] = 12.0,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
) -> None:
    """Play a camera for a while: what it sends, what is wrong with it, and what to set. Exit code 1 if something is."""
    _take_off_command_line(url)
    from edge.probe import measure  # noqa: PLC0415 - see above
    from edge.probe_report import judge, print_report, report_json  # noqa: PLC0415 - see above
    from streams.frames import Camera, Pace, Transport  # noqa: PLC0415 - see above

    if " ! " in url:
        _fail(EdgeError("this is a pipeline: put it into the configuration and try it with `teawatch edge check`"))
    if transport not in set(Transport):
        _fail(EdgeError(f"unknown transport {transport!r}; tcp or udp"))
    camera = Camera(id="probe", url=_with_variables(url), pace=Pace.FAST, transport=Transport(transport))
    try:
        measured = measure(camera, seconds)
    except TROUBLE as error:
        _fail(error)
    findings = judge(camera, measured)
    if as_json:
        typer.echo(report_json(camera, measured, findings), nl=False)
    else:
        print_report(camera, measured, findings, Console())
    raise typer.Exit(int(any(each.wrong for each in findings)))


@app.command()
def reference(
    camera: Annotated[str, typer.Argument(help="The camera's id in the box's configuration.")],
    state: StateFolder = None,
) -> None:
    """Forget what a camera's view should look like, after it was turned on purpose; a running box learns it anew."""
    from edge.references import ReferenceShelf  # noqa: PLC0415 - see above

    shelf = ReferenceShelf(_settings(state=state).state / REFERENCES_FOLDER)
    try:
        stored = shelf.cameras()
        if camera not in stored:
            _fail(EdgeError(f"there is no reference view of {camera!r}; there is: {', '.join(stored) or 'none yet'}"))
        shelf.remove(camera)
    except TROUBLE as error:
        _fail(error)
    typer.echo(f"{camera}: its view is forgotten; the box learns it anew from the next two minutes of clear pictures")


@app.command()
def top(
    url: Annotated[
        str, typer.Option("--url", help="Where the box serves its figures; by default on this machine.")
    ] = "",
    *,
    once: Annotated[bool, typer.Option("--once", help="Show it once and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, for programs.")] = False,
) -> None:
    """Watch a running box: cameras, rates, gates, drops, queue, temperature. Ctrl+C ends it; exit code 1: no box."""
    from edge.top import watch_box  # noqa: PLC0415 - see above

    try:
        watch_box(url or _settings().metrics_url, Console(), once=once, as_json=as_json)
    except TROUBLE as error:
        _fail(error)


@app.command()
def redact(
    picture: Annotated[Path, typer.Argument(metavar="IN", help="JPEG, PNG or WebP.")],
    copy: Annotated[Path, typer.Argument(metavar="OUT", help="The redacted copy, a JPEG; must not be there yet.")],
    box: Annotated[
        list[str] | None,
        typer.Option("--box", help="Cover this as well: x,y,w,h in pixels of the upright picture.", show_default=False),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="What was covered and by which model, as JSON.")] = False,
) -> None:
    """Cover faces, heads and number plates of a picture for good. Exit code 1, and no copy, if that cannot be done."""
    try:
        from edge.redaction.command import redact_file, summary  # noqa: PLC0415 - see above

        told = redact_file(picture, copy, box or ())
    except ModuleNotFoundError as error:
        _give_up(EdgeError(f"{error.name} is missing, so nothing can be redacted here; pip install 'teawatch[edge]'"))
    except TROUBLE as error:
        _give_up(error)
    typer.echo(told.model_dump_json(exclude_none=True) if as_json else summary(told))


def _give_up(error: Exception) -> NoReturn:
    """Whatever it was, exit code 1: nothing was made."""
    typer.echo(f"teawatch edge redact: {' '.join(str(error).split())}", err=True)
    raise typer.Exit(1) from None


def _settings(**given: Any) -> Settings:  # noqa: ANN401 - options of whatever type
    return Settings(**{name: value for name, value in given.items() if value is not None})


def _fail(error: Exception) -> NoReturn:
    for line in str(error).splitlines() or [type(error).__name__]:
        typer.echo(f"teawatch edge: {line}", err=True)
    raise typer.Exit(UNMENDABLE if isinstance(error, MISTAKES) else 1) from None
