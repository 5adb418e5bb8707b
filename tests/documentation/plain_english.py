"""Finds phrases in the project's texts that a reader of English as a second language stumbles over.

Searched are all strings, docstrings, comments and names of the Python code, and every text file
beside it. Only patterns are searched: whether a sentence can be understood remains a reader's
judgement. `python -m tests.documentation.plain_english [PATH …]` prints what it finds.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("authledger", "cli", "ledger", "projections", "tests", "benchmarks", "docs", ".ci")
SUFFIXES = {".py", ".md", ".sh", ".go", ".js", ".toml", ""}
NOT_SEARCHED = (
    "tests/sources/fixtures/",  # Recorded traces.
    "tests/ledger/golden/",  # Stored entries, which never change.
    "ledger/catalogue/data/",  # Sentences quoted from vendors' manuals.
    "docs/reference/",  # Generated from the code, which is searched.
    "authledger/rows.py",  # Generated from the views' declarations, which are searched.
    ".ci/lock/",
)
EXAMPLES = (
    "plain_english.py",
    "test_plain_english.py",
    "0028-a-test-keeps-plain-english.md",
)
"""These files quote the phrases that are searched for."""

BEGINNING = r"(?:\A|\n\s*\n|[.!?]\)?\s+|(?:\A|\n)\s*(?:#+|[-*]|\d+\.)\s+|\|\s*|\*\*)"
"""A sentence begins with a text, a paragraph, a list item, a heading, a cell, or after another."""
COMPARISON = "longer|more|less|later|earlier|older|newer|worse|better|greater|larger|smaller"


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern that does not belong in a text or in a name, and the advice for its author."""

    pattern: re.Pattern[str]
    remedy: str


TEXT_RULES = tuple(
    Rule(re.compile(pattern), remedy)
    for pattern, remedy in {
        # "there is no file" and "is no longer" are plain; "'yesterday' is no time" is not.
        rf"(?<![Tt]here )\b(?:is|are|was|were|be|been) no (?!(?:{COMPARISON})\b)[A-Za-z{{`'\"]+": (
            "write 'is not …', or 'X is not valid: …' and say what is accepted"
        ),
        # A question may begin so; a sentence whose subject is a relative clause may not.
        rf"{BEGINNING}(?:Who|Whom|Whose|Whoever|What|Whatever)\b(?![^.!|]*\?)[^.!?\n]*": (
            "name the subject: the operator, the process, the row, the fields that …"
        ),
        r"(?i)\bwhoever\b|; who\b": "name the person or the process, or write 'anybody who'",
        r"(?i)\b(?:lost races?|(?:los[et]\w*|won) (?:a|the|this) race)\b": "write 'conflict'",
        r"(?i)\bvisit(?:s|ed)?\b": "write 'round trip'",
        r"(?i)\bstretch(?:es)?\b": "write 'segment' or 'range'",
        r"(?i)\b(?:stands? beside|looks? for no|why what|the voice)\b": (
            "say literally what it is or does"
        ),
        r"(?i)\bis not kept; ask\b|\b(?:went|moved|goes|moves) on (?:by itself|to the new one)\b": (
            "say what happened, what was done and not done, and the next step"
        ),
    }.items()
)
NAME_RULES = (
    Rule(re.compile(r"\btold\b"), "pick the exact verb: print, report, refuse, translate, row …"),
    Rule(re.compile(r"\Atest (?:who|whoever|whose|what|whatever)\b"), "name the subject"),
    Rule(re.compile(r"(?<!there )\b(?:is|are|was|be) no (?!longer|more)\w+"), "write 'is not …'"),
)
"""Names are searched as words: `_` is a space."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A phrase that a rule forbids, with its place."""

    path: str
    line: int
    phrase: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.phrase!r}: {self.remedy}"


def findings(paths: Iterable[Path]) -> list[Finding]:
    """Every forbidden phrase in these files, sorted by file."""
    found = []
    for path in sorted(paths):
        name = path.relative_to(ROOT).as_posix()
        text = path.read_text(encoding="utf-8")
        search = in_python if path.suffix == ".py" else in_text
        found += [Finding(name, *each) for each in search(text)]
    return found


def project_files() -> Iterator[Path]:
    """The project's own text files: those at the top, and those below FOLDERS."""
    below = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*"))
    for path in (*ROOT.iterdir(), *below):
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(NOT_SEARCHED) or "__pycache__" in name or path.name in EXAMPLES:
            continue
        if path.is_file() and path.suffix in SUFFIXES and not path.name.startswith("."):
            yield path


def in_text(text: str, first_line: int = 1) -> Iterator[tuple[int, str, str]]:
    """The line, the phrase and the remedy of each forbidden phrase in a text."""
    for rule in TEXT_RULES:
        for match in rule.pattern.finditer(text):
            phrase = match.group().lstrip()
            line = first_line + text.count("\n", 0, match.end() - len(phrase))
            yield line, phrase, rule.remedy


def in_python(source: str) -> Iterator[tuple[int, str, str]]:
    nodes = list(ast.walk(ast.parse(source)))
    for line, text in (*strings(nodes), *comments(source)):
        yield from in_text(text, line)
    for line, name in names(nodes):
        words = name.strip("_").replace("_", " ")
        for rule in NAME_RULES:
            if rule.pattern.search(words):
                yield line, name, rule.remedy


def strings(nodes: list[ast.AST]) -> Iterator[tuple[int, str]]:
    """Every string constant, docstrings included, with its line; `{}` stands for a field."""
    parts = set()
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            parts |= {id(part) for part in node.values}
            texts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
            yield node.lineno, "".join(map(str, texts))
        elif (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts
        ):
            yield node.lineno, node.value


def comments(source: str) -> Iterator[tuple[int, str]]:
    """Every comment with its line; neighbouring lines that hold nothing else are one comment."""
    for match in re.finditer(r"(?:^[ \t]*# .*\n)+|(?<=\S)  # .*\n", source, flags=re.MULTILINE):
        text = re.sub(r"^[ \t]*# ", "", match.group(), flags=re.MULTILINE)
        yield source.count("\n", 0, match.start()) + 1, text


def names(nodes: list[ast.AST]) -> Iterator[tuple[int, str]]:
    """Every name that the code gives: to functions, classes, arguments and variables."""
    for node in nodes:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                yield node.lineno, name
            case _:
                pass


if __name__ == "__main__":
    chosen = [Path(name).resolve() for name in sys.argv[1:]]
    for each in findings(chosen or project_files()):
        print(each)  # noqa: T201 - its output is the result
