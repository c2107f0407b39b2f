"""An ONVIF camera on 127.0.0.1: answers calls to the multicast group on loopback, and SOAP over HTTP."""

import base64
import hashlib
import re
import socket
import struct
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from xml.sax.saxutils import escape

USER, PASSWORD = "viewer", "tea & p@ss"

SOAP = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:tt="http://www.onvif.org/ver10/schema"'
    ' xmlns:tds="http://www.onvif.org/ver10/device/wsdl" xmlns:trt="http://www.onvif.org/ver10/media/wsdl"'
    ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
    ' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"'
    ' xmlns:dn="http://www.onvif.org/ver10/network/wsdl"'
    ' xmlns:ter="http://www.onvif.org/ver10/error"><s:Body>{}</s:Body></s:Envelope>'
)
DENIED = (
    "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:NotAuthorized</s:Value></s:Subcode></s:Code>"
    "<s:Reason><s:Text>Sender not Authorized</s:Text></s:Reason></s:Fault>"
)


@dataclass
class Profile:
    token: str
    width: int
    height: int
    url: str
    codec: str = "H264"
    rate_per_s: int = 25
    key_every: int = 50
    source: str = "lens-1"


@dataclass
class Device:
    """`said_host` is where it believes itself to be."""

    name: str = "Gate%20North"
    hardware: str = "TeaCam-4"
    types: str = "dn:NetworkVideoTransmitter tds:Device"
    said_host: str = "127.0.0.1"
    clock_ahead_s: float = 0.0
    profiles: list[Profile] = field(default_factory=list)
    group: str = "239.255.255.250"
    port: int = 0
    asked: list[str] = field(default_factory=list)
    """Operations that it was asked for, in order."""
    envelopes: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        device = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status, answer = device.answer(body)
                self.send_response(status)
                self.send_header("Content-Type", "application/soap+xml; charset=utf-8")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._udp.bind((self.group, self.port))
        self.port = self._udp.getsockname()[1]
        membership = struct.pack("4s4s", socket.inet_aton(self.group), socket.inet_aton("127.0.0.1"))
        self._udp.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        self._threads = [
            threading.Thread(target=self._http.serve_forever, args=(0.02,)),
            threading.Thread(target=self._listen),
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
            self._ending = True
            last.sendto(b"end", (self.group, self.port))
        self._http.shutdown()
        for thread in self._threads:
            thread.join()
        self._http.server_close()
        self._udp.close()

    _ending = False

    @property
    def call_group(self) -> tuple[str, int]:
        """Where it listens for calls."""
        return self.group, self.port

    @property
    def http_port(self) -> int:
        return int(self._http.server_address[1])

    def _listen(self) -> None:
        while True:
            datagram, caller = self._udp.recvfrom(65535)
            if self._ending:
                return
            wanted = re.search(r"Types>([^<]*)<", datagram.decode())
            if wanted and set(wanted[1].split()) <= set(self.types.split()):
                self._udp.sendto(self.match().encode(), caller)

    def match(self) -> str:
        scopes = f"onvif://www.onvif.org/name/{self.name} onvif://www.onvif.org/hardware/{self.hardware}"
        return SOAP.format(
            "<d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:"
            f"{self.name}</a:Address></a:EndpointReference><d:Types>{self.types}</d:Types><d:Scopes>{scopes}</d:Scopes>"
            f"<d:XAddrs>http://{self.said_host}:{self.http_port}/onvif/device_service</d:XAddrs>"
            "<d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch></d:ProbeMatches>"
        )

    def answer(self, body: str) -> tuple[int, bytes]:
        operation = re.search(r"<(?:tds|trt):(\w+)", body.partition("Body>")[2])
        assert operation, body
        self.asked.append(operation[1])
        self.envelopes.append(body)
        if operation[1] not in {"GetSystemDateAndTime", "GetServices"} and not self._is_known(body):
            return 400, SOAP.format(DENIED).encode()
        return 200, SOAP.format(getattr(self, operation[1])(body)).encode()

    def _is_known(self, body: str) -> bool:
        """WS-Security UsernameToken Profile 1.0: digest of nonce, time and password, not older than a minute."""
        found = {
            name: re.search(rf":{name}(?: [^>]*)?>([^<]*)<", body)
            for name in ("Username", "Password", "Nonce", "Created")
        }
        values = {name: match[1] for name, match in found.items() if match}
        if len(values) < 4 or values["Username"] != USER:
            return False
        created = datetime.fromisoformat(values["Created"])
        if abs(self._now() - created) > timedelta(minutes=1):
            return False
        secret = base64.b64decode(values["Nonce"]) + values["Created"].encode() + PASSWORD.encode()
        return values["Password"] == base64.b64encode(hashlib.sha1(secret).digest()).decode()

    def _now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.clock_ahead_s)

    def GetSystemDateAndTime(self, _: str) -> str:  # noqa: N802 - ONVIF's name
        now = self._now()
        return (
            "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:UTCDateTime>"
            f"<tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute><tt:Second>{now.second}</tt:Second>"
            f"</tt:Time><tt:Date><tt:Year>{now.year}</tt:Year><tt:Month>{now.month}</tt:Month><tt:Day>{now.day}</tt:Day>"
            "</tt:Date></tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
        )

    def GetServices(self, _: str) -> str:  # noqa: N802 - ONVIF's name
        where = f"http://{self.said_host}:{self.http_port}/onvif"
        return "<tds:GetServicesResponse>{}</tds:GetServicesResponse>".format(
            "".join(
                f"<tds:Service><tds:Namespace>http://www.onvif.org/ver10/{name}/wsdl</tds:Namespace>"
                f"<tds:XAddr>{where}/{name}_service</tds:XAddr></tds:Service>"
                for name in ("device", "media")
            )
        )

    def GetDeviceInformation(self, _: str) -> str:  # noqa: N802 - ONVIF's name
        return (
            "<tds:GetDeviceInformationResponse><tds:Manufacturer>Leaf&amp;Lens</tds:Manufacturer>"
            "<tds:Model>TeaCam-4</tds:Model><tds:FirmwareVersion>5.7.3</tds:FirmwareVersion>"
            "</tds:GetDeviceInformationResponse>"
        )

    def GetProfiles(self, _: str) -> str:  # noqa: N802 - ONVIF's name
        return "<trt:GetProfilesResponse>{}</trt:GetProfilesResponse>".format(
            "".join(
                f'<trt:Profiles token="{each.token}"><tt:Name>{each.token}</tt:Name>'
                f"<tt:VideoSourceConfiguration token='v'><tt:SourceToken>{each.source}</tt:SourceToken>"
                "</tt:VideoSourceConfiguration><tt:VideoEncoderConfiguration token='e'>"
                f"<tt:Encoding>{each.codec}</tt:Encoding><tt:Resolution><tt:Width>{each.width}</tt:Width>"
                f"<tt:Height>{each.height}</tt:Height></tt:Resolution><tt:RateControl>"
                f"<tt:FrameRateLimit>{each.rate_per_s}</tt:FrameRateLimit></tt:RateControl>"
                f"<tt:H264><tt:GovLength>{each.key_every}</tt:GovLength></tt:H264>"
                "</tt:VideoEncoderConfiguration></trt:Profiles>"
                for each in self.profiles
            )
        )

    def GetStreamUri(self, body: str) -> str:  # noqa: N802 - ONVIF's name
        token = re.search(r"ProfileToken>([^<]*)<", body)
        (url,) = [each.url for each in self.profiles if token and each.token == token[1]]
        return (
            f"<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>{escape(url)}</tt:Uri></trt:MediaUri>"
            "</trt:GetStreamUriResponse>"
        )
