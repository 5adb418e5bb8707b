"""Shared by the tests of evidence: the questions, and a bundle read, changed and written."""

from __future__ import annotations

import zipfile
from pathlib import Path

GRANTED = "regions region=cn-north-4 agency=asm_admin_trust"
NONE = "regions region=af-south-1"
STRANGER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
BUNDLE = Path("evidence.zip")

Parts = dict[str, bytes]


def parts() -> Parts:
    with zipfile.ZipFile(BUNDLE) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite(changed: Parts) -> None:
    with zipfile.ZipFile(BUNDLE, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in changed.items():
            archive.writestr(name, data)


def flipped(data: bytes, place: int = -10) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 1
    return bytes(changed)


def an_entry(of: Parts) -> str:
    return next(name for name in of if name.startswith("entries/"))
