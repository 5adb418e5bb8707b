"""authledger docs: the documentation comes along, and messages name its topics."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from authledger import documentation
from tests.cli.conftest import Cli

ROOT = Path(__file__).parents[2]
PACKAGES = ("authledger", "cli", "ledger", "projections")
TOPICS = documentation.topics()


def test_every_page_is_a_topic_with_a_title(cli: Cli) -> None:
    lines = cli.done("docs").lines
    pages = [path for path in (ROOT / "docs").rglob("*") if path.is_file()]
    assert len(lines) == 1 + len(pages) + len(("readme", "changelog"))
    for topic, title in TOPICS.items():
        assert title
        assert any(line.split()[0] == topic for line in lines), topic


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_is_printed_without_links_to_files(cli: Cli, topic: str) -> None:
    text = cli.done(f"docs {topic}").out
    assert text.strip()
    links = re.findall(r"\]\(([^):\s]+)\)", text) if not topic.endswith(".sh") else []
    assert links == []
    for named in re.findall(r"`authledger docs ([^`]+)`", text):
        assert named in {*TOPICS, "TOPIC", "[TOPIC]", "events", "views"}, named


def test_a_link_within_a_page_becomes_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Page\n\nThe [settings](#settings) are below.\n", encoding="utf-8")
    monkeypatch.setattr(documentation, "_files", lambda: {"page": page})
    assert "The settings are below." in documentation.page("page")


@pytest.mark.parametrize(
    ("asked", "topic"),
    [
        ("glossary", "glossary"),
        ("docs/glossary.md", "glossary"),
        ("events", "reference/events"),
        ("add-a-ser", "howto/add-a-service"),
        ("0021", "decisions/0021"),
        ("README", "readme"),
    ],
)
def test_a_topic_is_found_by_what_people_call_it(cli: Cli, asked: str, topic: str) -> None:
    assert cli.done(f"docs {asked}").out == cli.done(f"docs {topic}").out


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        ("glosary", "'glossary'"),
        ("viws", "'reference/views'"),
        ("howto/add-an-evnt", "add-an-event"),
    ],
)
def test_an_unknown_topic_is_refused_with_near_ones(cli: Cli, asked: str, near: str) -> None:
    said = cli(f"docs {asked}")
    assert said.code == 4
    assert f"There is no topic '{asked}'." in said.err
    assert near in said.err
    assert "`authledger docs` lists all topics" in said.err


def test_a_beginning_that_fits_several_topics_is_refused_with_them(cli: Cli) -> None:
    said = cli("docs add-a")
    assert said.code == 4
    assert "fits several topics" in said.err
    assert "howto/add-a-command" in said.err


def test_a_terminal_gets_it_rendered_and_a_file_gets_it_plain(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = cli.done("docs glossary").out
    assert plain.startswith("# Glossary\n")
    monkeypatch.setattr("cli.commands.docs.is_terminal", lambda: True)
    rendered = cli.done("docs glossary").out
    assert "# Glossary" not in rendered
    assert "Glossary" in rendered


# -- messages ------------------------------------------------------------------------------------


def messages() -> Iterator[tuple[str, str]]:
    """Every text in the code that is not a docstring, and its place."""
    for path in sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
            if is_text and id(node) not in docs:
                place = f"{path.relative_to(ROOT)}:{node.lineno}"  # type: ignore[attr-defined]
                yield place, node.value  # type: ignore[attr-defined]


def test_no_message_names_a_file_of_the_repository() -> None:
    allowed = ("authledger/documentation.py", "projections/evidence/")  # VERIFY.md is in evidence.
    named = [
        (place, text)
        for place, text in messages()
        if re.search(r"\bdocs/|\w\.md\b", text) and not place.startswith(allowed)
    ]
    assert named == []


def test_every_topic_that_a_message_names_is_there() -> None:
    named = [
        (place, topic)
        for place, text in messages()
        for topic in re.findall(r"authledger docs ([a-z0-9/.-]+)", text)
    ]
    assert named
    for place, topic in named:
        assert documentation.name_of(topic), place
