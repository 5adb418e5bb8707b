"""The SQL of the tables that hold a projection's history, composed from its declaration.

    intervals   of a projection that is one SELECT: from which position until which
    rows        of a folded projection: when it was so, and when the ledger knew it
    tables      both, for code that does not mind which of them it has

Statements contain only names that the code declares, and numbers and times; never data.
May import: the declaration of projections, and dialect.
"""
