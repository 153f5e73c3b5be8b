"""The parts of the page Models, one idea a file."""
