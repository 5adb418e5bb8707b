"""The write side: facts about cloud delegations, and how they come to be."""
