"""Background jobs as pages show them."""
