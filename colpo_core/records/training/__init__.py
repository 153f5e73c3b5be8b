"""Settings of a training, what is looked at before, rules, reproduction."""
