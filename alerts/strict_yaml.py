"""YAML that people write for boxes and centres: read one way only, and every mistake is one line with its place."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from alerts.errors import YamlMistake

LONGEST_INTEGER_BITS = 64
_TAG = "tag:yaml.org,2002:"
_MEANT: Mapping[str, str] = MappingProxyType(
    {
        f"{_TAG}timestamp": "looks like a date and is none; put it in quotes if it is a name",
        f"{_TAG}int": "is not a number that can be used; put it in quotes if it is a name",
        f"{_TAG}float": "is not a number that can be used; put it in quotes if it is a name",
        f"{_TAG}bool": "is neither yes nor no",
    }
)


def read_yaml(raw: bytes) -> object:
    """The value in `raw`; raises YamlMistake, which does not repeat the text: an address may hold a password."""
    try:
        value: object = yaml.load(raw, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader, stricter
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise YamlMistake(f"{place}{error.problem or 'no YAML'}") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise YamlMistake("not a YAML file in UTF-8") from None
    except RecursionError:
        raise YamlMistake("nested too deeply") from None
    return value


class _StrictLoader(yaml.SafeLoader):
    """Refuses a key that stands twice, of which YAML would quietly take the last, and keys merged with `<<`."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: FBT001, FBT002, ANN401 - PyYAML's signature
        meant = _MEANT.get(node.tag)
        if meant is None:
            return super().construct_object(node, deep=deep)
        try:
            value = super().construct_object(node, deep=deep)
        except (ValueError, LookupError, OverflowError):
            raise ConstructorError(None, None, meant, node.start_mark) from None
        if isinstance(value, int) and value.bit_length() > LONGEST_INTEGER_BITS:
            raise ConstructorError(None, None, meant, node.start_mark)
        return value

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        seen = set()
        for key_node, _ in node.value:
            if key_node.tag == f"{_TAG}merge":
                problem = "merge keys (<<) are not supported; write the keys out"
                raise ConstructorError(None, None, problem, key_node.start_mark)
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, str) and key in seen:
                raise ConstructorError(None, None, f"key {key!r} stands twice", key_node.start_mark)
            if isinstance(key, str):
                seen.add(key)
        return super().construct_mapping(node, deep=deep)
