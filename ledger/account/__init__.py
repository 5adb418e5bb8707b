"""The aggregate: one account at one provider; each topic has its file.

May import: catalogue, messages, values, errors. Knows no clock and no database.
"""
