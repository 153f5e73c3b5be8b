"""Images that come in, from a folder, a table, a page or the program's own drawings."""
