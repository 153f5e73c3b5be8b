"""Exchange: readers and writers of other programs' formats."""
