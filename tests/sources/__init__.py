"""Tests of the translators from the clouds' own traces."""
