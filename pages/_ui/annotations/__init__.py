"""Parts of the annotation page: confirming imported masks, biopsy points, versions, and the words for them."""
