"""Networks leave the building here: as one file that takes raw pictures and answers as `predict`
does, with the proof beside it. Every file that is read is hostile until checked.
"""
