"""Exported files, answering over HTTP: the Open Inference Protocol (version 2) for tensors, and
POST /predict for pictures. Every request is hostile until checked, and no torch is imported.
"""
