from __future__ import annotations

import pytest

from django_wsgimatch.others.json_lines import BadJson, JsonNode, JsonObject, read_json


def test_each_value_has_its_line():
    found = read_json('{\n  "a": 1,\n  // no line is lost\n  "b": [true,\n null, -2.5e1]\n}')

    b = [JsonNode(True, 4), JsonNode(None, 5), JsonNode(-25.0, 5)]
    assert found == JsonNode(JsonObject((("a", JsonNode(1, 2)), ("b", JsonNode(b, 4)))), 1)


def test_comments_are_passed_over():
    assert read_json("/* one\ntwo */ [ // three\n] // four").value == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('"\xc3\xa9"', id="bytes of UTF-8"),
        pytest.param('"\\u00e9"', id="an escape"),
    ],
)
def test_text_is_a_character_a_byte(text):
    assert read_json(text).value == "\xc3\xa9"


def test_the_last_of_two_members_of_a_name_counts():
    found = read_json('{"a": 1, "a": 2}').value

    assert isinstance(found, JsonObject)
    assert found.get("a") == JsonNode(2, 1)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        pytest.param("", 1, "a value should stand here", id="nothing"),
        pytest.param('{"a": 1,\n}', 2, "a name in double quotes should stand here", id="comma"),
        pytest.param('{"a"\n 1}', 2, "a colon should stand behind a name", id="no colon"),
        pytest.param("[1\n2]", 2, "a comma or ] should stand here", id="no comma"),
        pytest.param("[1,", 1, "a value should stand here", id="cut off"),
        pytest.param('["a\n"]', 1, "a text is wrong (Invalid control character at)", id="line"),
        pytest.param("{}\n{}", 2, "something stands behind its end", id="two values"),
        pytest.param("/* ", 1, "a value should stand here", id="comment without an end"),
        pytest.param("NaN", 1, "a value should stand here", id="no number of JSON"),
        pytest.param("[" * 100_000, 1, "more than 64 values in one another", id="very deep"),
    ],
)
def test_what_is_no_json_is_refused_with_its_line(text, line, reason):
    with pytest.raises(BadJson) as raised:
        read_json(text)

    assert (raised.value.line, raised.value.reason) == (line, f"this is not JSON: {reason}")
