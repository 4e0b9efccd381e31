"""Measurements, each one command. Ratios are taken side by side in one run;
nothing here is a test.
"""
