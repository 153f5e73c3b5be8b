"""Services: what a person can do, one verb a function. Permission is checked here."""
