"""Huawei Cloud's traces (Cloud Trace Service) as observed facts."""
