"""How fast a network answers here, in every form that is installed: measured, compared with eager
float32 first, and the fastest chosen.
"""
