"""The aggregate: one account at one provider, one topic a file. Knows no clock and no database."""
