// The magic wand: the connected region of one colour.
