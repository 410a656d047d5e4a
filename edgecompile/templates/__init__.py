"""Files that ``edgecompile init`` writes, as data; one folder each, ``.template`` is taken off the name."""
