"""The truth that imported facts come to: one pure fold, without a clock and without a database.

    fact     one successful call, as a value              rules     what a call needs, by cloud
    names    how an id was called, when                   lines     the runs of one permission
    story    one explanation of a slot's facts            orders    the orders within one instant
    slot     the cheapest stories of one name             things    which thing a handle meant
    timeline what the stories agree on                    spans     what is shown of each key
    derive   facts → spans                                rows      spans with two times
    handles  the keys of an index of facts                trustees  the words for one account
    places   permissions by region and by project         held      spans by what is asked of them
    content  documents as values                          completed what a later reading adds
    cells    only what changed                            expiry   what ends by itself

A successful call that needs what the facts do not show proves an unseen fact. The right order, and
the right inference, is the explanation with the fewest unseen facts; where equally good ones
differ, the answer is "not known".

May import: messages, values, and nothing of the account around it.
"""
