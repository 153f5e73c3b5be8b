"""What runs networks: the runner of background jobs, what each kind computes, and predictions in the foreground."""
