"""The write side: facts about cloud delegations, and how they come to be.

May import: nothing of `projections` or `cli`.
"""
