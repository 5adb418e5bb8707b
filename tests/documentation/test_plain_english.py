"""The cheap part of plain English: phrases that must not come back. `plain_english.py` finds them.

The rules and their reasons: docs/decisions/0028-a-test-keeps-plain-english.md.
"""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.documentation.plain_english import ROOT, findings, in_python, in_text, project_files

SUBJECT_LENGTH_MAX = 72


def test_no_text_of_the_project_has_a_forbidden_phrase() -> None:
    found = [str(each) for each in findings(project_files())]
    assert not found, "Rewrite these phrases:\n" + "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "'yesterday' is no time",
        "a file that is no SQLite database",
        "{} is no {}",
        "Who appends without the key goes on unsigned.",
        "The key is lost. Whoever has it can sign.",
        "# What must be set",
        "| flag | Who does it |",
        "A proof needs no ledger; who keeps one can check it.",
        "After a lost race the account is read again.",
        "It loses a race against another process.",
        "Each statement is one visit to the server.",
        "It reads the entries in stretches.",
        "Why what? Name a region.",
    ],
)
def test_a_phrase_that_a_newcomer_stumbles_over_is_found(text: str) -> None:
    assert list(in_text(text))


@pytest.mark.parametrize(
    "text",
    [
        "'yesterday' is not a valid time. Use RFC 3339.",
        "There is no file of that name, and there are no others.",
        "The key is no longer trusted, and no more than two are.",
        "Somebody asks: what was refused, and to whom?",
        "What was refused, and to whom?",
        "The operator who appends without the key goes on unsigned.",
        "After a conflict the command is decided again.",
    ],
)
def test_plain_phrases_are_not_found(text: str) -> None:
    assert not list(in_text(text))


def test_strings_comments_and_names_of_python_code_are_searched() -> None:
    code = (
        '"""What is here."""\n'
        "def test_what_is_wrong_is_told(name):\n"
        "    told = f'{name} is no time'  # Whoever reads this.\n"
        "    # A comment, which\n"
        "    # is no riddle.\n"
        "    assert name\n"
    )
    assert {line for line, _, _ in in_python(code)} == {1, 2, 3, 5}


def test_the_newest_commits_subject_is_short_enough() -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is not a git checkout")
    command = ("git", "log", "-1", "--no-merges", "--format=%s")
    subject = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    assert len(subject.strip()) <= SUBJECT_LENGTH_MAX, f"Shorten it: {subject!r}"
