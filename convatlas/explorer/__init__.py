"""The page: every network drawn, beside its paper's table and every printed number, as a static
site and on a loopback server.

Here belong the pages (`PART.py`: `files()` says which paths the part has and what makes the bytes
of each), the frame around them, what is copied as it is (static/: plain ES modules, styles, words
of the interface in two languages, one vendored view library with its licence), the writing of a
folder or of a single file, and the server. Nothing here trains, and no page is made by a template
language: HTML is text of Python.

How the parts meet:

- `contents.site()` puts the parts together: path in the site -> what makes its bytes, when asked.
- `frame.page(path, title, body, ...)` makes a page of HTML that reads without JavaScript.
- A page names a module of static/; that exports `mount(main, address)`, and loads data only by
  static/files.js, other modules only by relative imports. So the same modules run from a host, from
  the loopback server, and from inside a single file.
- A unit's address is networks/NAME.html#PATH, a claim's networks/NAME.html#claim-N.
"""
