"""Put firmware on a board with the tools that people have: a table of runners, a default for each board."""
