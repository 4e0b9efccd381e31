"""Checkpoints that people already own, in and out: one table of names a source, strict both ways. Nothing of ours."""
