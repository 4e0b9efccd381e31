"""The documents as a site, with the atlas mounted in it: `python -m docs.site OUT`, or `make site`.

Here belong the staging of the Markdown for Zensical, the joining of its pages with the explorer's,
and the check of every link in what was built. A tool of the repository: nothing of it is installed.
"""
