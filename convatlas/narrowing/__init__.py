"""Networks with fewer filters: which channels can only go together, a network without them, the
proof that nothing else has changed, and NetAdapt's rule of how many go in each step.

Functions of any torch.nn.Module; nothing of ours.
"""
