"""Networks that run in the page: their weights, and each as a short program for the page's
interpreter.

Belongs here: what the page needs of a trained network, and its page. The interpreter itself is
static/live.
"""
