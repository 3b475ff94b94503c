"""One module a part of the mesh: how it is prepared, started, probed and settled."""
