"""Small histories, each with the right answer beside it: `python -m tests.cases`.

    python -m tests.cases                 all of them: expected, got, right or wrong
    python -m tests.cases 16 54 -v        some of them, with all answers
    python -m tests.cases.invictus        a real account, beside counts that do not use our code

    given/    what must come out of the histories in ../shared/data/cases, which are read from there
    own/      histories of the same kinds, with accounts and names of their own
    records   makes the records of both clouds    fresh    a new ledger, and the command line on it
    case      a history and its expectations      play     imports a history and asks
    orders    the same records in other orders of arrival, which must give the same answers

Each case stands for a kind of history. A fault is to be mended for the kind.
"""
