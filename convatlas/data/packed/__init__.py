"""Sets of very many images, packed into a few large files: written once, then read by number from a
disk or an object store.

The files are uncompressed tars as WebDataset's are, an image and its class a sample, so that other
programs read them as well; beside them lies an index, which says of each image where it is, what it
is called, and the digest of its bytes.
"""
