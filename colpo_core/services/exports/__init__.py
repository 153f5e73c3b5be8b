"""A case as a page for the record, and cases as files."""
