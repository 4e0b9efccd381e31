"""What every plot and contact sheet needs of matplotlib: quiet drawing, and names in any letters.

What is drawn belongs to the rooms that know what it means. Imports matplotlib only when something
is drawn.
"""
