"""The invariants of the whole mesh, checked on the databases of its services.

Each is a named, described query in a `.sql` file of this package that returns a row a violation,
(where, what); what SQL does not say well is a small check in Python. Nothing is ever written.
"""
