"""Sets of very many images, packed into a few large files: written once, then read by number from a
disk or an object store.

The files are a table in Lance's format (the extra `shards`), which other programs read as well: a
row an image, with its bytes, its class, its name, its sides and a digest of its bytes. What is said
of the set as a whole stands in the table's own metadata.
"""
