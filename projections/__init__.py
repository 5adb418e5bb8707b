"""The read side of authledger: views over the events. All of it may be deleted and rebuilt.

May import: `ledger`, but none of its decisions (`ledger.account`); never `authledger` or `cli`.
"""
