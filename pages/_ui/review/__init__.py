"""The parts of the page where a prediction is reviewed."""
