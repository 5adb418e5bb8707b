"""Collections of hostile texts made by others; they lie beside the checkout, where they lie."""

from __future__ import annotations

from pathlib import Path

import pytest

JSON = Path(__file__).resolve().parents[3] / "shared" / "data" / "json"

needs_json = pytest.mark.skipif(
    not JSON.is_dir(), reason="needs ../shared (third-party data), which is not here"
)
