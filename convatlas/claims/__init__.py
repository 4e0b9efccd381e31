"""What is printed of each network: a file for each of nets/, typed from the texts by itself.

A file here imports only `claim`, so that no printed number is a copy of the constant that builds
the network. CLAIMS: name of the network -> its claims.
"""
