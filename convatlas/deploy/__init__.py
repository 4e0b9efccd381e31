"""From a trained network to files for elsewhere. Networks come in as the atlas makes them; every
file that is read is hostile until it is checked.
"""
