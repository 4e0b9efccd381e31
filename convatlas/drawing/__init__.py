"""Drawings of networks: a drawn graph and its layer table -> a scene with exact places -> SVG, PNG or PDF.

Here belongs geometry and what makes a drawing legible: what is shown, where it stands, in which colours. Deterministic;
stored networks are drawn without torch.
"""
