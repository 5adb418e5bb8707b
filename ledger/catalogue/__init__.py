"""The catalogue of cloud services: agencies, policies, features and what each needs, with dates.

A service is data: one TOML file. The files here are the built-in ones; those of a folder given by
the user come beside them. They cannot replace a built-in provider or service.

May import: values, errors.
"""

from ledger.catalogue.loader import load_catalogue
from ledger.catalogue.model import AgencyEntry, Baseline, Catalogue, Dependency, Feature, Service

__all__ = [
    "AgencyEntry",
    "Baseline",
    "Catalogue",
    "Dependency",
    "Feature",
    "Service",
    "load_catalogue",
]
