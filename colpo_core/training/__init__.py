"""Training: the loop. It knows no database and no screen."""
