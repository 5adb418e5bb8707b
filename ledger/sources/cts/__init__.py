"""Huawei Cloud's traces (Cloud Trace Service) → observed facts.

May import: the modules beside it in `sources`, account, messages, values; never another
cloud's folder.
"""
