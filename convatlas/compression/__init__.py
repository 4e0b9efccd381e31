"""Smaller networks and smaller files of them: Deep Compression (pruning, shared values, Huffman's
code, in a .dc file that is read as a run is) and NetAdapt (fewer filters, to a budget).
"""
