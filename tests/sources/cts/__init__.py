"""Tests of the translators from Huawei Cloud's CTS."""
