"""Tests of the translators from AWS CloudTrail."""
