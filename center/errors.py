"""What can go wrong at the centre, said in one line a person can act on.

CenterError
├── SettingsInvalid        a key or value of the settings is wrong
├── NoCentre               the data folder holds no centre
├── CountyInvalid          a county's files cannot be registered
├── PortInUse              another program listens on the web or broker port
├── DatabaseTrouble        the database cannot be opened, migrated or written
├── AuthorityTrouble       the centre's own certificates cannot be read or made
├── BrokerTrouble          the embedded broker did not start
├── ServerMissing          a program that a bench or test needs is not installed, or does not start
├── TooManyUploads         boxes bring as many files at once as the centre takes
├── NotAPicture            a file that cannot be shown as a picture
├── LogDamaged             the centre's log is not what it was, or not whole
├── CheckBrokenOff         the centre stops while it recomputes its log
├── NotInLog               the log has no such leaf, or the head does not cover it
├── RecordingRefused       what an officer uploads is no picture or video, too large, or from the future
├── CannotRedact           no redacted copy of a picture could be made; nothing is shown instead
├── RedactorBusy           another picture is being redacted
├── ClockDoubtful          the machine's clock cannot be right, or nobody has said yet that it is
├── StampRefused           a time-stamping authority gave no stamp that holds
├── UnknownPerson          the log names nobody of this name
├── BundleImpossible       of this lead no bundle can be made
├── DeviceError
│   ├── DeviceNameTaken    a box of this name is enrolled already
│   ├── UnknownDevice      no box of this name
│   ├── UnknownJournal     the box has no such journal
│   └── KeySpent           the key was revoked or rotated and never comes back
└── AccountError
    ├── NameTaken          an account of this name exists
    ├── UnknownAccount     no account of this name
    └── WeakPassword       shorter than the minimum
"""

from alerts.errors import NotTakenNow


class CenterError(Exception):
    """Base of everything `center` raises; its text is one clear line."""


class SettingsInvalid(CenterError):
    """A key or a value of the settings is wrong."""


class NoCentre(CenterError):
    """The data folder holds no centre; only `init` makes one."""


class CountyInvalid(CenterError):
    """A county's files cannot be registered. `problems` are lines that each name file and place."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class PortInUse(CenterError):
    """Another program listens where the centre should."""


class DatabaseTrouble(CenterError, NotTakenNow):
    """The database cannot be opened, migrated or written."""


class AuthorityTrouble(CenterError):
    """The centre's authority, or a certificate of it, cannot be read or made."""


class ServerMissing(CenterError):
    """A program that a bench or test needs is not installed, or does not start."""


class BrokerTrouble(CenterError):
    """The embedded broker did not start."""


class TooManyUploads(CenterError):
    """As many files are being brought at once as the centre takes, of one box or of all."""


class NotAPicture(CenterError):
    """A file cannot be shown as a picture: broken, or so large that unpacking it is no good idea."""


class LogDamaged(CenterError):
    """The centre's log is not what it was, or not whole."""


class CheckBrokenOff(CenterError):
    """The centre stops while it recomputes its log; it begins anew another time."""


class NotInLog(CenterError):
    """The log has no such leaf, or the head does not cover it."""


class RecordingRefused(CenterError):
    """What an officer uploads is no picture or video, too large, or from the future."""


class CannotRedact(CenterError):
    """No redacted copy of a picture could be made; nothing is shown instead."""


class RedactorBusy(CenterError):
    """Another picture is being redacted, or the store does not answer: try again in a moment."""


class ClockDoubtful(CenterError):
    """The machine's clock cannot be right, or leapt and nobody has said yet that it is."""


class StampRefused(CenterError):
    """A time-stamping authority gave no stamp that holds."""


class UnknownPerson(CenterError):
    """The log names nobody of this name."""


class BundleImpossible(CenterError):
    """Of this lead no bundle can be made."""


class DeviceError(CenterError):
    """Base of what enrolling and finding boxes raises."""


class DeviceNameTaken(DeviceError):
    """A box of this name is enrolled already."""


class UnknownDevice(DeviceError):
    """No box of this name is registered."""


class UnknownJournal(DeviceError):
    """The box has no journal of this name."""


class KeySpent(DeviceError):
    """The key was revoked or rotated: it never comes back."""


class AccountError(CenterError):
    """Base of what accounts raise."""


class NameTaken(AccountError):
    """An account of this name exists already."""


class UnknownAccount(AccountError):
    """No account has this name."""


class WeakPassword(AccountError):
    """The password is shorter than the minimum."""
