"""What every screen shares: context, messages, links, words, colours, charts, errors."""
