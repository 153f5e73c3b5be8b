"""Tables that people bring, as their spreadsheet wrote them: one reader for all of the program."""
