"""Topics: ours, or refused."""

import pytest

from alerts.errors import MalformedMessage
from alerts.topics import Channel, Topic, filter_of, parse


@pytest.mark.parametrize("channel", Channel)
def test_a_topic_reads_back_as_it_was_written(channel: Channel) -> None:
    topic = Topic("demo-county", "box-1", channel)
    assert topic.text == f"teawatch/v1/demo-county/box-1/{channel}"
    assert parse(topic.text) == topic


@pytest.mark.parametrize(
    "text",
    [
        "",
        "teawatch/v1/a/b",
        "teawatch/v2/a/b/journal",
        "teawatch/v1/a/b/gossip",
        "teawatch/v1/+/b/journal",
        "teawatch/v1/a/#/journal",
        "teawatch/v1//b/journal",
        "teawatch/v1/a/b\n/journal",
        "teawatch/v1/a/b/journal/more",
    ],
)
def test_other_topics_are_refused(text: str) -> None:
    with pytest.raises(MalformedMessage):
        parse(text)


def test_a_filter_covers_all_boxes_of_a_tenant() -> None:
    assert filter_of("demo-county", Channel.JOURNAL) == "teawatch/v1/demo-county/+/journal"
