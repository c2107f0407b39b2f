"""Everything that can go wrong between box and centre.

AlertsError
├── MessageError            what arrived is not acceptable
│   ├── MalformedMessage    not JSON of our kind, or not the message it says it is
│   ├── MessageTooLarge     longer than a reader takes
│   ├── WrongType           a sound message of another type than was asked for
│   ├── Unsigned            no signature
│   ├── UnknownKey          signed by a key nobody vouches for
│   ├── UnsupportedAlgorithm
│   └── BadSignature        the bytes are not what was signed
├── DownlinkRejected        signed by the centre, and yet not to be followed
│   ├── WrongAddressee      for another box or another outbox
│   ├── StaleCounter        older than what was already followed
│   └── Expired             its time has passed
├── OutboxError
│   ├── OutboxFull          the disk is full; what is there stays
│   ├── OutboxInUse         another process has it
│   ├── OutboxUnreadable    damaged, or no outbox at all
│   ├── OutboxTooNew        written by a newer version
│   └── OutboxOfAnother     belongs to another box
├── BlobError
│   ├── BlobMissing
│   ├── BlobBusy            somebody else brings it just now
│   ├── BlobDamaged         its bytes are not those its name promises
│   ├── BlobElsewhere       the piece does not begin where the file ends so far
│   ├── BlobStoreFull       the disk is full
│   └── BlobStoreUnreachable    a store on another machine does not answer
├── NotTakenNow             what takes messages in cannot; they are offered again
├── LogError                what is said of an append-only log does not hold
│   ├── ProofRejected       the proof does not lead from the leaf, or the older head, to the head
│   ├── CheckpointRejected  the head is not one of this log, signed by its key
│   └── StampRejected       an outside authority's time-stamp of a head does not hold
├── BundleUnfit             a file that is not a bundle as the centre writes them
├── TrustUnusable           the file of trusted keys cannot be used
├── YamlMistake             what a person wrote is not YAML that can be read one way only
├── KeyFileError            missing, unreadable, no Ed25519 key, or there already
├── TlsError
│   ├── TlsTrouble          our own certificate or authority cannot be used
│   ├── CertificateOutOfDate
│   └── TimeUnknown         nobody knows what time it is, so no certificate can be judged
├── NotEnrolled             the state folder holds no identity
└── EnrolmentError
    ├── BadCode             mistyped
    ├── CodeRefused         the centre does not know it, or it was used, or its time has passed
    ├── CentreNotTrusted    the answer is not signed by the centre that made the code
    ├── CentreUnreachable
    └── InsecureCentre      plain http to another machine
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alerts.bundles.findings import Finding


class AlertsError(Exception):
    """Base of all errors of this package."""


class MessageError(AlertsError):
    """What arrived is not acceptable."""


class MalformedMessage(MessageError):
    """Not JSON of our kind, or not the message it says it is."""


class MessageTooLarge(MessageError):
    """Longer than a reader takes."""


class WrongType(MessageError):
    """A sound message of another type than was asked for."""


class Unsigned(MessageError):
    """No signature."""


class UnknownKey(MessageError):
    """Signed by a key nobody vouches for."""


class UnsupportedAlgorithm(MessageError):
    """Signed in a way this version cannot check."""


class BadSignature(MessageError):
    """The bytes are not what was signed."""


class DownlinkRejected(AlertsError):
    """Signed by the centre, and yet not to be followed."""


class WrongAddressee(DownlinkRejected):
    """For another box, or for another outbox of this one."""


class StaleCounter(DownlinkRejected):
    """Older than what was already followed."""


class Expired(DownlinkRejected):
    """Its time has passed."""


class OutboxError(AlertsError):
    """The outbox cannot do what was asked."""


class OutboxFull(OutboxError):
    """The disk is full: nothing was added, nothing that is there is lost."""


class OutboxInUse(OutboxError):
    """Another process has this outbox open."""


class OutboxUnreadable(OutboxError):
    """Damaged, or not an outbox at all."""


class OutboxTooNew(OutboxError):
    """Written by a newer version of this program."""


class OutboxOfAnother(OutboxError):
    """Belongs to another box."""


class BlobError(AlertsError):
    """A stored file cannot be given or taken."""


class BlobMissing(BlobError):
    """No file of that hash."""


class BlobDamaged(BlobError):
    """The bytes are not those the hash promises."""


class BlobBusy(BlobError):
    """Somebody else brings this file just now."""


class BlobElsewhere(BlobError):
    """The piece does not begin where the file ends so far."""


class BlobStoreFull(BlobError):
    """The disk is full: the file was not stored."""


class BlobStoreUnreachable(BlobError):
    """A store on another machine does not answer, or refuses: nothing is lost, it is tried again."""


class NotTakenNow(AlertsError):
    """Messages cannot be taken in at present, for a reason that a line says; they are offered again."""


class LogError(AlertsError):
    """What is said of an append-only log does not hold."""


class ProofRejected(LogError):
    """The proof does not lead from the leaf, or from the older head, to the head."""


class CheckpointRejected(LogError):
    """The head is not one of this log, signed by its key."""


class StampRejected(LogError):
    """A time-stamp cannot be read, is not about the head, or does not lead to a trusted root."""


class BundleUnfit(AlertsError):
    """A file that is not a bundle as the centre writes them; `finding` says why in two languages."""

    def __init__(self, finding: "Finding") -> None:
        super().__init__(finding.say("en"))
        self.finding = finding


class TrustUnusable(AlertsError):
    """The file of trusted keys cannot be used."""


class YamlMistake(AlertsError):
    """What a person wrote is not YAML that can be read one way only. The message names the place."""


class KeyFileError(AlertsError):
    """The key's file is missing, unreadable, holds no Ed25519 key, or is there already."""


class TlsError(AlertsError, OSError):
    """A connection cannot be trusted; an OSError, as the network's libraries expect of a handshake."""


class TlsTrouble(TlsError):
    """Our own certificate or authority cannot be used."""


class CertificateOutOfDate(TlsError):
    """A certificate is not good yet, or no longer."""


class TimeUnknown(TlsError):
    """The clock was never set and the centre has not told the time, so no certificate can be judged."""


class NotEnrolled(AlertsError):
    """The state folder holds no identity."""


class EnrolmentError(AlertsError):
    """The box could not be enrolled."""


class BadCode(EnrolmentError):
    """The code is mistyped."""


class CodeRefused(EnrolmentError):
    """The centre does not know the code, or it was used, or its time has passed."""


class CentreNotTrusted(EnrolmentError):
    """The answer is not signed by the centre that made the code."""


class CentreUnreachable(EnrolmentError):
    """Nobody answers there, or not in our language."""


class InsecureCentre(EnrolmentError):
    """Plain http to another machine: the answer carries a password."""
