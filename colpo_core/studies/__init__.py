"""Studies: randomised reading orders, blinding, the seal, statistics."""
