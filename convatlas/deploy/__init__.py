"""Networks leave the building here: one file that takes raw pictures and answers as `predict` does,
with the proof beside it.
"""
