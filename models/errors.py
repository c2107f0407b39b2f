"""What can go wrong with a model, one clear line each.

ModelError
├── UnknownModel     no card of that name; the nearest one is suggested
├── BadModelCard     the card cannot be read or contradicts itself or its network
├── ModelFileMissing the network's file is not where its card says
├── WrongModelFile   the network's file is not the one the card describes
└── BadLabels        a folder of labelled pictures cannot be measured on
"""


class ModelError(Exception):
    """Base of every error of `models`."""


class UnknownModel(ModelError):
    """There is no model card of that name."""


class BadModelCard(ModelError):
    """A model card cannot be read, contradicts itself, or describes another network than its file holds."""


class ModelFileMissing(ModelError):
    """The file of the network is absent or unreadable."""


class WrongModelFile(ModelError):
    """The file of the network has another SHA-256 than its card states: replaced, damaged or half downloaded."""

    def __init__(self, file: str, expected: str, actual: str) -> None:
        """`expected` and `actual` are SHA-256 in hexadecimal."""
        super().__init__(
            f"{file}: wrong model file, SHA-256 is {actual}, its card says {expected}; install the file again"
        )
        self.expected = expected
        self.actual = actual


class BadLabels(ModelError):
    """A folder of labelled pictures is absent, empty, or speaks of classes the model does not know."""
