// Whole regions of a mask: holes, specks, growing and shrinking.
