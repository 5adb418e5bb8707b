"""The aggregate: one account at one provider, one topic a file.

May import: catalogue, messages, values, errors. Knows no clock and no database.
"""
