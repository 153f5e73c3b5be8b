"""Parts of the cases page: the list, bringing images in, one case's images, record and histology."""
