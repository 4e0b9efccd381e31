"""What others call it: names of networks in other libraries, flags of other programs, and what each
is here.

Tables and the sentences made from them. Nothing here imports another library, nor torch.
"""
