"""From the folders of finished or half-done runs to numbers, tests, figures and files.

What belongs here: what can be said of runs that exist, whoever made them and however. What is to be
run, and where, belongs to study.
"""
