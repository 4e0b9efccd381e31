"""Many runs that belong together: a plan of them, whoever carries it out, and what is chosen by
validation before the test images are looked at.

What belongs here: study folders and executors. What a run is does not (training), nor what is
reported of it (reporting).
"""
