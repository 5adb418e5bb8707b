"""AWS CloudTrail's records → observed facts.

May import: the modules beside it in `sources`, account, messages, values; never another
cloud's folder.
"""
