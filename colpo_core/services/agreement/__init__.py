"""How annotators agree: figures by pair, consensus masks, and decisions where they differ."""
