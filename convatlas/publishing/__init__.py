"""A trained network for others: its model card, the files of its place on the Hugging Face hub, the
way there and back.
"""
