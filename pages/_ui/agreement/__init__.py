"""Parts of the agreement page: how annotators agree, one image with all their masks, and the decision which counts."""
